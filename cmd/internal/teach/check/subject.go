package check

import (
	"context"

	"uswitch/cmd/internal/control/api"
)

// Subject is a lab that is checked.
type Subject interface {
	Explain(context.Context, api.Question) (*api.Answer, error)
	WhyNot(context.Context, api.Question) (*api.Advice, error)
	// Send sends packets from inside their hosts, side by side, and says what became of each; nil: such a one cannot be sent.
	Send(context.Context, []api.Asked) ([]*api.Sent, error)
	// Table returns the rows of one of lab.Tables.
	Table(ctx context.Context, name string) (rows []string, err error)
	// Command runs a program inside a host, or beside the lab if host is empty, and returns what it wrote and its status.
	// The error says that it could not be run.
	Command(ctx context.Context, host string, argv []string) (output string, status int, err error)
}
