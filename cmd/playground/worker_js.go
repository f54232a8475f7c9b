// Command playground is uswitch in a page: this binary runs in a worker of the browser and answers what the page asks it, as a lab's
// control socket does elsewhere.
//
//	page                        worker                          here
//	  app.js   -- request ----> worker.js -- uswitch.request --> control/server --> world, on simulated hosts
//	  terminal -- what is typed ----------------- write -------> the body of /v1/exec
//
// The same packages as in a lab in memory do the same things; there are no sockets, no processes and no files.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall/js"
	"time"

	"uswitch/cmd/internal/control/server"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/simhost"
	"uswitch/cmd/internal/world"
)

func main() {
	p := &playground{}
	js.Global().Set("uswitch", js.ValueOf(map[string]any{
		"open":    js.FuncOf(p.open),
		"run":     js.FuncOf(p.run),
		"request": js.FuncOf(p.request),
	}))
	select {}
}

// playground has one lab, once it is open.
type playground struct{ handler http.Handler }

// open brings a lab up: open(file, content) -> Promise of its warnings. The content is a lab file, or a plan if the file's name ends in
// .json.
func (p *playground) open(_ js.Value, args []js.Value) any {
	file, content := args[0].String(), args[1].String()
	return promise(func() (any, error) {
		lab, differences, err := load(file, content)
		if err != nil {
			return nil, err
		}
		return js.ValueOf(list(append(lab.Warnings, differences...))), p.up(lab)
	})
}

// load reads a lab, as far as it can be in memory. differences are what is done in another way there.
func load(file, content string) (lab *plan.Plan, differences []string, err error) {
	lab = new(plan.Plan)
	if strings.HasSuffix(file, ".json") {
		err = json.Unmarshal([]byte(content), lab)
	} else {
		lab, err = plan.Parse(file, []byte(content), plan.LoadOptions{})
	}
	if err != nil {
		return nil, nil, err
	}
	if !session.Simulable(lab) {
		return nil, nil, errors.New("this lab uses namespaces or the network of a machine, which a page in a browser has not")
	}
	lab, differences = session.InMemory(lab)
	return lab, differences, nil
}

// up brings it up; its commands run, and it stays.
func (p *playground) up(lab *plan.Plan) error {
	if p.handler != nil {
		return errors.New("a lab is up: a page has one")
	}
	w, err := world.New(lab, world.Options{Host: simhost.New(), Stays: true})
	if err != nil {
		return err
	}
	if err := w.Up(context.Background()); err != nil {
		return err
	}
	s := server.Within(w, session.Version(), func() {})
	s.KeepEvents()
	p.handler = s.Handler()
	go w.Run(context.Background())
	return nil
}

// run runs a lab that ends by itself as `uswitch run --sim` does: run(file, content) -> Promise of its status. What it prints goes to
// standard output.
func (p *playground) run(_ js.Value, args []js.Value) any {
	file, content := args[0].String(), args[1].String()
	return promise(func() (any, error) {
		lab, _, err := load(file, content)
		if err != nil {
			return nil, err
		}
		return session.Run(session.Options{Plan: lab, Trace: "text", Simulated: true, Stdout: os.Stdout, Stderr: os.Stderr})
	})
}

// promise runs f beside the page, and returns a Promise of what it returns.
func promise(f func() (any, error)) js.Value {
	var body js.Func
	body = js.FuncOf(func(_ js.Value, args []js.Value) any {
		resolve, reject := args[0], args[1]
		go func() {
			defer body.Release()
			result, err := f()
			if err != nil {
				reject.Invoke(js.Global().Get("Error").New(err.Error()))
				return
			}
			resolve.Invoke(result)
		}()
		return nil
	})
	return js.Global().Get("Promise").New(body)
}

// list is a list of lines as JavaScript takes it.
func list(lines []string) []any {
	all := make([]any, len(lines))
	for i, l := range lines {
		all[i] = l
	}
	return all
}

// request asks the lab: request(method, path, headers, body, head, chunk, end). The body is bytes, null, or true: then it is what write
// brings. head(status, headers), chunk(bytes) and end() are called in this order. It returns {write(bytes), abort()}.
func (p *playground) request(_ js.Value, args []js.Value) any {
	ctx, abort := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	a := &answer{header: http.Header{}, head: args[4], chunk: args[5], body: reader}
	r, err := http.NewRequestWithContext(ctx, args[0].String(), args[1].String(), nil)
	if err != nil {
		a.fail(http.StatusBadRequest, err.Error())
		args[6].Invoke()
		abort()
		return nil
	}
	r.Body = http.NoBody
	switch body := args[3]; body.Type() {
	case js.TypeBoolean:
		r.Body = reader
	case js.TypeObject:
		b := make([]byte, body.Length())
		js.CopyBytesToGo(b, body)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(string(b))), int64(len(b))
	}
	names := js.Global().Get("Object").Call("keys", args[2])
	for i := range names.Length() {
		r.Header.Set(names.Index(i).String(), args[2].Get(names.Index(i).String()).String())
	}
	typed := make(chan []byte, 64)
	go func() {
		for b := range typed {
			_, _ = writer.Write(b) // of one that nobody reads any more there is no more to say
		}
	}()
	write := js.FuncOf(func(_ js.Value, args []js.Value) any {
		b := make([]byte, args[0].Length())
		js.CopyBytesToGo(b, args[0])
		select {
		case typed <- b:
		default: // so much is typed by nobody
		}
		return nil
	})
	hangUp := js.FuncOf(func(js.Value, []js.Value) any {
		abort()
		writer.Close()
		return nil
	})
	go func() {
		defer func() {
			abort()
			reader.Close()
			args[6].Invoke()
		}()
		switch {
		case p.handler == nil:
			a.fail(http.StatusServiceUnavailable, "no lab is open")
		default:
			p.handler.ServeHTTP(a, r)
			a.WriteHeader(http.StatusOK)
		}
	}()
	return js.ValueOf(map[string]any{"write": write, "abort": hangUp})
}

// answer is what is written to the page. It never waits, so its deadlines only end what is read from there.
type answer struct {
	header      http.Header
	head, chunk js.Value
	body        *io.PipeReader
	begun       bool
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.begun {
		return
	}
	a.begun = true
	headers := map[string]any{}
	for name := range a.header {
		headers[name] = a.header.Get(name)
	}
	a.head.Invoke(status, js.ValueOf(headers))
}

// Write implements io.Writer.
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	out := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(out, b)
	a.chunk.Invoke(out)
	return len(b), nil
}

func (a *answer) fail(status int, message string) {
	text, _ := json.Marshal(map[string]string{"error": message})
	a.header.Set("Content-Type", "application/json")
	a.WriteHeader(status)
	_, _ = a.Write(text)
}

// Flush, SetReadDeadline, SetWriteDeadline and EnableFullDuplex are what http.ResponseController asks for.
func (a *answer) Flush() {}

func (a *answer) SetReadDeadline(t time.Time) error {
	if !t.IsZero() {
		a.body.Close()
	}
	return nil
}

func (a *answer) SetWriteDeadline(time.Time) error { return nil }
func (a *answer) EnableFullDuplex() error          { return nil }
