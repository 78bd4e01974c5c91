"""How the tables came to be, version by version. docs/migrations.md has the rules for the next one."""
