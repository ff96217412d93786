"""The floor: everything that a report needs in one statement, one text for each engine.

It tells the total, each violation with its levels and kind, duplicates too, ordered; also when there is no violation. The text
is the obvious one: group the union of both sides, keep the groups, count them, select the bad ones. Names are compared
upper-cased and trimmed, as the contract wants.
"""

from __future__ import annotations

_GROUPED = """
WITH pairs AS MATERIALIZED (
  SELECT "user", specialization, sum(progress_row) AS progress_rows, sum(license_row) AS license_rows,
         max(progress_level) AS progress_level, max(license_level) AS license_level
  FROM (SELECT student_id AS "user", upper(trim(specialization_id)) AS specialization, 1 AS progress_row, 0 AS license_row,
               current_level AS progress_level, NULL{null} AS license_level
        FROM specialization_progress
        UNION ALL
        SELECT user_id, upper(trim(specialization_type)), 0, 1, NULL{null}, current_level
        FROM user_licenses) AS rows_of_both
  GROUP BY "user", specialization
)
SELECT totals.total, pairs."user", pairs.specialization, pairs.progress_level, pairs.license_level,
       CASE WHEN progress_rows > 1 OR license_rows > 1 THEN 'duplicate_rows'
            WHEN license_rows = 0 THEN 'missing_license'
            WHEN progress_rows = 0 THEN 'missing_progress'
            WHEN progress_level IS NULL OR license_level IS NULL THEN 'level_not_set'
            ELSE 'level_mismatch' END AS kind
FROM (SELECT count(*) AS total FROM pairs) AS totals
LEFT JOIN pairs ON (progress_rows = 1 AND license_rows = 1 AND progress_level = license_level) IS NOT TRUE
ORDER BY pairs."user", pairs.specialization{collation}
"""

SQLITE = _GROUPED.format(null="", collation="")
POSTGRESQL = _GROUPED.format(null="::integer", collation=' COLLATE "C"')
