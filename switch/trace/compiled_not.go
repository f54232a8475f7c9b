//go:build notrace

package trace

const compiled = false
