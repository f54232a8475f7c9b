package simhost

import (
	"context"
	"io"

	"github.com/spf13/pflag"

	"uswitch/cmd/internal/tools/serve"
)

// uswitchServe is `uswitch serve`.
func uswitchServe(c *call) int {
	set := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	port := set.Uint16P("port", "p", 80, "")
	if err := set.Parse(c.args); err != nil || set.NArg() > 0 || *port == 0 {
		return c.fail(2, "want: uswitch serve [-p PORT]")
	}
	l, err := c.space.listen(*port)
	if err == nil {
		err = serve.On(c.ctx, l, c.space.Name, c.stdout)
	}
	if err != nil {
		return c.fail(1, "%v", err)
	}
	return finished // it serves until it is told not to
}

// closeAtEnd closes what a program waits at when the program is ended; what it returns takes that back.
func closeAtEnd(c *call, what io.Closer) (release func()) {
	stop := context.AfterFunc(c.ctx, func() { _ = what.Close() })
	return func() { stop() }
}
