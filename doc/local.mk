# doc/: man pages and bash completion, made by the program from its option tables.
