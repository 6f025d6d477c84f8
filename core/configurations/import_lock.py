"""The lock of imports: while one holds it, no run is asked for and no other import happens."""

IMPORT_LOCK = "import of configurations"
