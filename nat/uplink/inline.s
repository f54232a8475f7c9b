// An assembly file, though an empty one, is what lets inline.go name a function of another package.
