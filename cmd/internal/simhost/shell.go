package simhost

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"uswitch/sim"
)

// shell is sh on a simulated host: a real shell language, whose programs are those of this package.
type shell struct {
	*call
	runner  *interp.Runner
	typed   io.Reader // what a person types, or somebody in their place; nil: nobody
	parts   []part    // that are in the text as other commands
	running int       // commands in the background

	mu   sync.Mutex              // guards stop
	stop context.CancelCauseFunc // ends what an interactive shell runs
}

// runShell is sh: sh -c TEXT [NAME ARGUMENT ...], sh FILE [ARGUMENT ...], or a shell for a person that reads what it is to do.
func runShell(c *call) int {
	s := &shell{call: c}
	args, text, given := c.Args, "", false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch {
		case strings.Trim(args[0], "-ei") == "":
		case strings.Trim(args[0], "-cei") == "" && len(args) > 1:
			text, given = args[1], true
			args = args[1:]
		default:
			return c.Fail(2, "%s: want sh [-e] -c TEXT, sh FILE, or sh", args[0])
		}
		args = args[1:]
	}
	if !given && len(args) > 0 {
		f, err := c.Namespace.OpenFile(c.Dir, args[0], os.O_RDONLY, 0)
		if err != nil {
			return c.Fail(127, "%s: %v", args[0], reason(err))
		}
		defer f.Close()
		b, err := io.ReadAll(f)
		if err != nil {
			return c.Fail(126, "%s: %v", args[0], err)
		}
		text, given = string(b), true
	}
	if err := s.prepare(args, given); err != nil {
		return c.Fail(2, "%v", err)
	}
	if given {
		return s.script(text, append(args, s.Name)[0])
	}
	return s.converse()
}

// prepare makes the interpreter.
func (s *shell) prepare(args []string, withInput bool) (err error) {
	var params []string
	for _, word := range s.Args {
		if word == "-e" || word == "-ec" {
			params = append(params, "-e")
		}
	}
	if params = append(params, "--"); len(args) > 1 {
		params = append(params, args[1:]...)
	}
	if !withInput {
		s.typed = sim.Typed(s.Stdin) // the shell reads it itself
		s.Stdin = strings.NewReader("")
	}
	return s.interpreter(expand.ListEnviron(s.Env...), params)
}

// interpreter makes the interpreter. Standard input is not its business: it would copy it into a file of this machine.
func (s *shell) interpreter(env expand.Environ, params []string) (err error) {
	s.runner, err = interp.New(
		interp.StdIO(nil, s.Stdout, s.Stderr), interp.Env(env), interp.Dir(s.Dir), interp.Params(params...),
		interp.CallHandler(func(_ context.Context, args []string) ([]string, error) { return args, s.Loop().Yield() }),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return s.exec }),
		interp.OpenHandler(s.openFile))
	return err
}

// script runs a text to its end, which calls itself name ($0).
func (s *shell) script(text, name string) int {
	file, err := syntax.NewParser().Parse(strings.NewReader(text), name)
	if err == nil {
		err = s.rewrite(file)
	}
	if err != nil {
		return s.Fail(2, "%v", err)
	}
	return s.status(s.runner.Run(s.Ctx, file))
}

// converse reads commands and runs each when it is complete. A mistake of grammar costs the line and nothing else.
func (s *shell) converse() int {
	s.CatchInterrupt(s.interrupt)
	input := &lineReader{in: bufio.NewReader(s.typed)}
	status := 0
	for s.Ctx.Err() == nil && !input.ended {
		s.prompt()
		parser := syntax.NewParser()
		var mistake error
		for stmts, err := range parser.InteractiveSeq(input) {
			if mistake = err; err != nil {
				break
			}
			if parser.Incomplete() {
				fmt.Fprint(s.Stdout, "> ")
				continue
			}
			for _, stmt := range stmts {
				var over bool
				if status, over = s.statement(stmt); over {
					return status
				}
			}
			s.prompt()
		}
		if mistake == nil {
			break
		}
		fmt.Fprintf(s.Stderr, "%s: %v\n", s.Name, mistake)
		status = 2
	}
	return status
}

func (s *shell) prompt() { fmt.Fprintf(s.Stdout, "[%s] # ", s.Namespace.Name) }

// lineReader hands out a line at a time, however much has been typed ahead.
type lineReader struct {
	in    *bufio.Reader
	ended bool // there is nothing more to read
}

func (r *lineReader) Read(b []byte) (n int, err error) {
	for n < len(b) {
		if b[n], err = r.in.ReadByte(); err != nil {
			r.ended = true
			return n, err
		}
		if n++; b[n-1] == '\n' {
			break
		}
	}
	return n, nil
}

// statement runs one command, which a Ctrl-C ends without ending the shell; over says that it was the last.
func (s *shell) statement(stmt *syntax.Stmt) (status int, over bool) {
	ctx, stop := context.WithCancelCause(s.Ctx)
	defer stop(nil)
	s.mu.Lock()
	s.stop = stop
	s.mu.Unlock()
	if err := s.rewrite(stmt); err != nil {
		return s.Fail(2, "%v", err), false
	}
	status = s.status(s.runner.Run(ctx, stmt))
	if ctx.Err() != nil && s.Ctx.Err() == nil {
		return sim.StatusOf(ctx), false
	}
	return status, s.runner.Exited()
}

func (s *shell) interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop != nil {
		s.stop(sim.Ended{By: syscall.SIGINT})
		s.Loop().Look()
	}
}

// status returns the exit status of what was run.
func (s *shell) status(err error) int {
	var status interp.ExitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, context.Canceled):
		return sim.StatusOf(s.Ctx)
	}
	return s.Fail(1, "%v", err)
}

// exec runs a program of the shell's.
func (s *shell) exec(ctx context.Context, args []string) error {
	h := interp.HandlerCtx(ctx)
	if status, ok := s.own(ctx, args); ok {
		if status != 0 {
			return interp.ExitStatus(status)
		}
		return nil
	}
	c := sim.Call{Ctx: ctx, Namespace: s.Namespace, Name: args[0], Args: args[1:], Dir: h.Dir, Stdin: s.input(h), Stdout: h.Stdout, Stderr: h.Stderr}
	h.Env.Each(func(name string, v expand.Variable) bool {
		if v.Exported {
			c.Env = append(c.Env, name+"="+v.String())
		}
		return true
	})
	status, err := c.Run()
	if err != nil {
		fmt.Fprintf(h.Stderr, "%s: %v\n", s.Name, err)
		status = 127
	}
	if status != 0 {
		return interp.ExitStatus(status)
	}
	return nil
}

// openFile opens what the shell redirects to and from.
func (s *shell) openFile(ctx context.Context, path string, flag int, perm fs.FileMode) (io.ReadWriteCloser, error) {
	f, err := s.Namespace.OpenFile(interp.HandlerCtx(ctx).Dir, path, flag, perm)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: reason(err)}
	}
	return f, nil
}
