-- Readers and the one writer do not wait for each other in WAL mode. The file remembers it; it cannot be set inside a transaction.
PRAGMA journal_mode = WAL;
