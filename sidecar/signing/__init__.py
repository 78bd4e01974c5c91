"""Return paths signed in processes of their own, which share one socket and all processors.

    daemon                                       each process
      starts it, with the listening socket   ->    accepts, answers: verp_socket.py, as the daemon would
      Begin, Use, Watch, WatchAll, End       ->    signs by these from now on
      counts, logs, notes for all            <-    Serving, Using, Told (several times a second)

No mail waits for what the two say to each other. No process outlives the daemon: what connects them is closed
by the kernel when either ends. A process hears no signal; the daemon hears them for all.

    words.py    what the two say to each other, and how it is framed
    wire.py     the socket between them
    signers.py  the daemon's side
    worker.py   the process: no database, no configuration, no file
"""
