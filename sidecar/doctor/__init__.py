"""doctor: everything that the sidecar needs, looked at from top to bottom, and how to mend what is wrong.

Asks and changes nothing: beside the daemon, as its user or as root. Each part is looked at by a module of its
own, which hands back findings.
"""
