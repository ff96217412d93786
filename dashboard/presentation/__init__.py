"""The presentation: a few slides for a big screen, for whoever is logged in or was given a link."""
