"""The doors. Each speaks one protocol: builds one value, asks one service, answers from replies.py."""
