"""What a password must be like, and what it should be like."""

LONGEST = 72  # bytes; bcrypt reads no more

_SHORTEST_ADVISED = 8  # characters


def problem_with(password: str) -> str | None:
    """Why a password cannot be taken, as a sentence; None when it can."""
    if not password:
        return "A password has at least one character."
    if password != password.strip():
        return "A password may not begin or end with a blank."
    if len(password.encode(errors="replace")) > LONGEST:
        return f"A password has at most {LONGEST} bytes."
    return "A password may not hold a NUL character." if "\0" in password else None


def is_weak(password: str) -> bool:
    """Whether it is taken with a warning."""
    return len(password) < _SHORTEST_ADVISED
