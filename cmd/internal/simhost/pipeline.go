package simhost

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"syscall"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"

	"uswitch/sim"
)

// The interpreter runs what stands before a pipe, and what runs in the background, on goroutines of its own, which take no turns.
// So they are written anew before it sees them, as commands of these names that this package has for it:
//
//	A | B          pipe 0 "$@"                where 0 is the place of A and B in shell.parts
//	A &            background 1 "$@"
//	wait           wait                       the interpreter's own knows nothing of background
//	read X         eval "$(read X)"           its own reads a file of this machine
//
// Behind a mark that nobody types.
const (
	mark           = "\x01"
	pipeCall       = mark + "pipe"
	backgroundCall = mark + "background"
	waitCall       = mark + "wait"
	readCall       = mark + "read"
)

// part is what such a command stands for.
type part struct {
	left, right *syntax.Stmt // right: nil for a command in the background
	errors      bool         // the left one's errors go into the pipe too
}

// rewrite writes what is to run anew. The error is for what cannot be simulated.
func (s *shell) rewrite(node syntax.Node) (err error) {
	syntax.Walk(node, func(node syntax.Node) bool {
		switch node := node.(type) {
		case *syntax.ProcSubst, *syntax.CoprocClause:
			err = fmt.Errorf("process substitution and coproc cannot be simulated")
		case *syntax.Stmt:
			if node.Background {
				one := *node
				one.Background = false
				err = s.rewrite(&one)
				*node = syntax.Stmt{Position: node.Position, Cmd: s.stand(backgroundCall, part{left: &one})}
				return false
			}
			two, ok := node.Cmd.(*syntax.BinaryCmd)
			if !ok || two.Op != syntax.Pipe && two.Op != syntax.PipeAll {
				break
			}
			if err = s.rewrite(two.X); err == nil {
				err = s.rewrite(two.Y)
			}
			node.Cmd = s.stand(pipeCall, part{two.X, two.Y, two.Op == syntax.PipeAll})
		case *syntax.CallExpr:
			if len(node.Args) == 0 {
				break
			}
			switch node.Args[0].Lit() {
			case "wait":
				node.Args[0] = literal(waitCall)
			case "read":
				inner := &syntax.CallExpr{Assigns: node.Assigns, Args: append([]*syntax.Word{literal(readCall)}, node.Args[1:]...)}
				text := &syntax.DblQuoted{Parts: []syntax.WordPart{&syntax.CmdSubst{Stmts: []*syntax.Stmt{{Cmd: inner}}}}}
				node.Assigns, node.Args = nil, []*syntax.Word{literal("eval"), {Parts: []syntax.WordPart{text}}}
				return false
			}
		}
		return err == nil
	})
	return err
}

// stand returns the command that stands for a part.
func (s *shell) stand(name string, p part) *syntax.CallExpr {
	s.parts = append(s.parts, p)
	all := &syntax.DblQuoted{Parts: []syntax.WordPart{&syntax.ParamExp{Short: true, Param: &syntax.Lit{Value: "@"}}}}
	return &syntax.CallExpr{Args: []*syntax.Word{literal(name), literal(strconv.Itoa(len(s.parts) - 1)), {Parts: []syntax.WordPart{all}}}}
}

func literal(text string) *syntax.Word {
	return &syntax.Word{Parts: []syntax.WordPart{&syntax.Lit{Value: text}}}
}

// own runs one of the commands that rewrite has put in; ok is false for every other one.
func (s *shell) own(ctx context.Context, args []string) (status int, ok bool) {
	h := interp.HandlerCtx(ctx)
	switch args[0] {
	case pipeCall:
		n, _ := strconv.Atoi(args[1])
		return s.pipe(ctx, h, s.parts[n], args[2:]), true
	case backgroundCall:
		n, _ := strconv.Atoi(args[1])
		s.running++
		empty := strings.NewReader("")
		s.Loop().Go(func() {
			s.sub(ctx, h, s.parts[n].left, args[2:], empty, h.Stdout, h.Stderr)
			s.running--
		})
		return 0, true
	case waitCall:
		_ = s.Loop().WaitOr(ctx, func() bool { return s.running == 0 })
		return 0, true
	case readCall:
		return s.read(h, args[1:]), true
	}
	return 0, false
}

// sigpipe is SIGPIPE by its number: not every system has the name.
const sigpipe = syscall.Signal(13)

// pipe runs two commands of which the second reads what the first one writes. Its status is the second one's.
func (s *shell) pipe(ctx context.Context, h interp.HandlerContext, p part, params []string) int {
	between := &pipe{loop: s.Loop()}
	leftCtx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	between.ctx, between.broken = leftCtx, func() { stop(sim.Ended{By: sigpipe}) }
	errs := h.Stderr
	if p.errors {
		errs = between
	}
	ended := false
	s.Loop().Go(func() {
		s.sub(leftCtx, h, p.left, params, s.input(h), between, errs)
		ended, between.written = true, true
	})
	status := s.sub(ctx, h, p.right, params, between, h.Stdout, h.Stderr)
	between.read = true
	_ = s.Loop().WaitOr(ctx, func() bool { return ended })
	return status
}

// input is what a command of the shell's reads, unless it is led elsewhere.
func (s *shell) input(h interp.HandlerContext) io.Reader {
	if h.Stdin != nil {
		return h.Stdin
	}
	return s.Stdin
}

// sub runs a part in a shell of its own, which has all variables and functions of this one.
func (s *shell) sub(ctx context.Context, h interp.HandlerContext, stmt *syntax.Stmt, params []string, in io.Reader, out, errs io.Writer) int {
	c := *s.Call
	c.Ctx, c.Stdin, c.Stdout, c.Stderr, c.Dir = ctx, in, out, errs, h.Dir
	sub := &shell{call: &call{Call: &c}, parts: s.parts}
	if err := sub.interpreter(h.Env, append([]string{"--"}, params...)); err != nil {
		return s.Fail(2, "%v", err)
	}
	sub.runner.Reset()
	sub.runner.Funcs = maps.Clone(s.runner.Funcs)
	return sub.status(sub.runner.Run(ctx, stmt))
}

// read is the builtin: what it prints sets the variables.
func (s *shell) read(h interp.HandlerContext, args []string) int {
	raw := false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		if args[0] != "-r" {
			fmt.Fprintf(h.Stderr, "read: %q cannot be simulated: want read [-r] NAME ...\n", args[0])
			fmt.Fprint(h.Stdout, "false")
			return 2
		}
		raw, args = true, args[1:]
	}
	if len(args) == 0 {
		args = []string{"REPLY"}
	}
	var line []byte
	in, one, whole := s.input(h), make([]byte, 1), false
	for !whole {
		n, err := in.Read(one)
		if n > 0 && one[0] != '\n' {
			line = append(line, one[0])
		}
		whole = n > 0 && one[0] == '\n'
		if err != nil {
			break
		}
	}
	values := expand.ReadFields(&expand.Config{Env: h.Env}, string(line), len(args), raw)
	for i, name := range args {
		value := ""
		if i < len(values) {
			value = values[i]
		}
		quoted, err := syntax.Quote(value, syntax.LangBash)
		if err != nil || !syntax.ValidName(name) {
			quoted = "''"
		}
		if syntax.ValidName(name) {
			fmt.Fprintf(h.Stdout, "%s=%s; ", name, quoted)
		}
	}
	if fmt.Fprint(h.Stdout, whole); !whole {
		return 1
	}
	return 0
}

// pipe is a pipe between tasks.
type pipe struct {
	loop          *sim.Loop
	ctx           context.Context // of the writer
	broken        func()          // ends the writer
	text          bytes.Buffer
	written, read bool // nobody will write, read any more
}

// pipeSize is how much waits in a pipe, in bytes.
const pipeSize = 64 << 10

// Read implements io.Reader.
func (p *pipe) Read(b []byte) (int, error) {
	if err := p.loop.Wait(func() bool { return p.written || p.text.Len() > 0 }); err != nil {
		return 0, err
	}
	return p.text.Read(b)
}

// Write implements io.Writer.
func (p *pipe) Write(b []byte) (int, error) {
	if err := p.loop.WaitOr(p.ctx, func() bool { return p.read || p.text.Len() < pipeSize }); err != nil {
		return 0, err
	}
	if p.read {
		p.broken()
		return 0, syscall.EPIPE
	}
	return p.text.Write(b)
}
