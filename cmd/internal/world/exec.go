package world

import (
	"io"

	"uswitch/tap"
)

// Inside is a program that somebody runs in a host, beside the host's own command.
type Inside struct {
	Host        string
	Args        []string // the program and its arguments
	Environment []string // KEY=value, on top of the host's
	Dir         string   // empty: this process's
	Stdin       io.Reader
	Stdout      io.Writer
	Stderr      io.Writer
}

// Exec starts a program in a host. Nobody but the caller waits for it, and nobody ends it before the host goes.
func (w *World) Exec(in Inside) (tap.Process, error) {
	h, err := w.findHost(in.Host)
	if err != nil {
		return nil, err
	}
	cmd := w.Command(h, in.Args)
	cmd.Env = append(cmd.Env, in.Environment...)
	cmd.Dir, cmd.SysProcAttr, cmd.WaitDelay = in.Dir, ownGroup(), outputGrace
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in.Stdin, in.Stdout, in.Stderr
	process, err := w.host.Start(h.Namespace, cmd)
	return process, hostError(h, err)
}
