package check

import (
	"context"
	"errors"

	"uswitch/cmd/internal/ask"
)

// Subject is a lab that is checked.
type Subject interface {
	Explain(context.Context, ask.Question) (*ask.Answer, error)
	WhyNot(context.Context, ask.Question) (*ask.Advice, error)
	// Table returns the rows of one of lab.Tables.
	Table(ctx context.Context, name string) (rows []string, err error)
	// Command runs a program inside a host, or beside the lab if host is empty, and returns what it wrote and its status.
	// The error says that it could not be run.
	Command(ctx context.Context, host string, argv []string) (output string, status int, err error)
}

// errInMemory is why a lab in memory runs nothing.
var errInMemory = errors.New("a lab in memory runs no commands")
