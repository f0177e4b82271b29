-- Told to every connection when it is opened. {timeout}: how long a statement waits for another process that writes, in milliseconds.
PRAGMA busy_timeout = {timeout}
