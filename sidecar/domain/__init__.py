"""The pure room: mail facts and decisions. No clock, no socket, no file, no database is named in here."""
