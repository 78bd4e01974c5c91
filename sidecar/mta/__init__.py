"""The mail server's side: its configuration, printed and checked."""
