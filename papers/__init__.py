"""Papers of a port: files that people upload, and the letter of authorization that is made and sealed."""
