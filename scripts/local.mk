# scripts/: run the program and read its output.
