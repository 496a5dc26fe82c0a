"""Tutorials to step through in the terminal, as a notebook and as a site, all from the files in tutorials/."""
