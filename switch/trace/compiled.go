//go:build !notrace

package trace

// compiled says whether packets can be traced at all. It is a constant so that the compiler leaves out what it makes
// unreachable: the benchmark compares with a program built with -tags notrace. Nobody else has a use for that.
const compiled = true
