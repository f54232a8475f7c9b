package sim

import (
	"errors"
	"fmt"
	"io"
)

// program is a command that runs on a machine. It calls done when it has ended.
type program func(m *Machine, out io.Writer, done func())

// command is what can be typed on a host: a program of any machine, or something that only a host with cards can do.
type command struct {
	program program
	host    func(h *Host, out io.Writer)
}

// hostCommands are what can be typed on a host; on client, the machine outside, those that are programs.
var hostCommands = map[string]func(words []string) (command, error){
	"ping":         parsePing,
	"traceroute":   parseTraceroute,
	"curl":         parseCurl,
	"dig":          parseDig,
	"nc":           parseNC,
	"serve":        parseServe,
	"send":         parseSend,
	"ip":           parseIP,
	"arp-announce": bare(func(h *Host, _ io.Writer) { h.cards[0].Announce() }),
	"up":           bare(func(h *Host, _ io.Writer) { h.SetUp(true) }),
	"down":         bare(func(h *Host, _ io.Writer) { h.SetUp(false) }),
}

// on carries out a command on the machine of that name.
func (c command) on(w *World, name string, out io.Writer) error {
	h, ok := w.Host(name)
	switch {
	case ok && c.host != nil && len(h.cards) > 0:
		c.host(h, out)
		return nil
	case ok && c.program != nil:
		return w.run(h.Machine, c.program, out)
	case name == "client" && w.internet != nil && c.program != nil:
		return w.run(w.internet.client, c.program, out)
	case ok || name == "client" && w.internet != nil:
		return errors.New("this machine cannot do that")
	}
	return fmt.Errorf("there is no host %q", name)
}

// run lets a program run to its end.
func (w *World) run(m *Machine, p program, out io.Writer) error {
	ended := false
	p(m, out, func() { ended = true })
	if !w.RunUntil(func() bool { return ended }) {
		return errors.New("the world has come to rest before the program has ended")
	}
	return nil
}

// bare is a command without words.
func bare(f func(*Host, io.Writer)) func([]string) (command, error) {
	return func(words []string) (command, error) {
		if len(words) > 0 {
			return command{}, errors.New("want nothing else on this line")
		}
		return command{host: f}, nil
	}
}
