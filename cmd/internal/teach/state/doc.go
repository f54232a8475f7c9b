// Package state keeps what uswitch remembers for a person from one call to the next: progress, what is broken.
package state
