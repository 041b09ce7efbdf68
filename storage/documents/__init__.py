"""Files that people gave us or that we made for them, outside PostgreSQL, behind one interface."""
