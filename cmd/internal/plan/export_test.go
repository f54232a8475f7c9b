package plan

// Source returns the Compose file of a built-in lab.
func Source(name string) (text []byte, ok bool) { return builtin(name) }
