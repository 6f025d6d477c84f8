"""The lock of imports: an import holds it alone, whoever asks for a run shares it."""

IMPORT_LOCK = "import of configurations"
