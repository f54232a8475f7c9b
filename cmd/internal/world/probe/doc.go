// Package probe sends one packet from inside a namespace, by an ordinary socket: the routes, rules and neighbours that decide
// are the namespace's own, whatever anybody has predicted.
package probe

import "errors"

// ErrNotSent is wrapped by the errors that say why nothing could be asked at all: they are no answer to the question.
var ErrNotSent = errors.New("no packet could be sent")
