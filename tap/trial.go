package tap

// Trial is one thing that a lab does, and how it went when it was tried.
type Trial struct {
	What     string
	Err      error // nil: it can be done
	Optional bool  // labs do without
}

// Tryer is what New returns besides a Host: it tells of each thing that Check tries, up to the first one without which the
// others cannot be tried, and of some that labs do without.
type Tryer interface {
	Try() []Trial
}
