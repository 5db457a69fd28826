"""The parts of the upload page: opening files, the data's form and preview, the passport."""
