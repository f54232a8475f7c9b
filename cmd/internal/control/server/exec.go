package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"syscall"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/cmd/internal/world"
	"uswitch/tap"
)

// attended is a program that somebody waits for. In virtual time it has ended when what is under way then has arrived.
type attended struct {
	tap.Process
	over chan struct{}
}

// attend has virtual time pass until a program has ended; for a person, no faster than it does outside.
func attend(w *world.World, p tap.Process, person bool) attended {
	a := attended{p, make(chan struct{})}
	leave := w.Clock().Attend(person)
	w.Clock().Go(func() {
		defer close(a.over)
		defer leave() // at the very moment of the end: no time passes after it
		w.Clock().Await(p.Ended())
		w.Settle(context.Background())
	})
	return a
}

// Ended implements tap.Process.
func (a attended) Ended() <-chan struct{} { return a.over }

// Wait implements tap.Process.
func (a attended) Wait() (status int) {
	<-a.over
	return a.Process.Wait()
}

// running is a program that a client waits for.
type running struct {
	tap.Process
	out *execStream
}

// exec runs a program in a host for as long as the client listens.
func (s *Server) exec(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if len(q["arg"]) == 0 {
		fail(w, r, refuse(http.StatusBadRequest, words.Errorf("want a program to run")))
		return
	}
	done, err := s.listener() // before anything runs that somebody would have to end again
	if err != nil {
		fail(w, r, err)
		return
	}
	defer done()
	input, endInput := execInput(w, r)
	defer endInput()
	loop := s.world.Loop()
	out := &execStream{gone: r.Context().Done()}
	if loop != nil && loop.Virtual() {
		out.taken = make(chan struct{}, 1)
	}
	out.mu.Lock() // the program may write once the answer has begun
	clock := s.world.Clock()
	release := clock.Hold()
	defer release()
	process, err := s.world.Exec(world.Inside{Host: q.Get("host"), Args: q["arg"], Environment: q["env"], Dir: q.Get("dir"),
		Stdin: input, Stdout: execWriter{out, false}, Stderr: execWriter{out, true}})
	if err != nil {
		fail(w, r, &api.Error{Code: http.StatusUnprocessableEntity, Status: world.Status(nil, err), Message: err.Error()})
		return
	}
	out.lines = json.NewEncoder(beginStream(w, ndjson))
	out.mu.Unlock()
	id := q.Get("id")
	s.running.Store(id, running{process, out})
	defer s.running.Delete(id)
	defer context.AfterFunc(r.Context(), func() { _ = process.Signal(syscall.SIGKILL) })()
	process = attend(s.world, process, q.Get("person") == "true")
	release()
	status := process.Wait()
	_ = out.send(api.ExecOutput{Status: &status})
}

// execInput returns what the client sends, as long as it sends and somebody reads. The request is read by one goroutine,
// which the end waits for: net/http has the connection to itself afterwards. What the program has not read is thrown away
// until the client has heard the end and hangs up: were it hung up on while it still sends, it would not listen any more.
func execInput(w http.ResponseWriter, r *http.Request) (input io.Reader, end func()) {
	c := http.NewResponseController(w)
	_ = c.EnableFullDuplex()
	_ = c.SetReadDeadline(time.Time{})
	w.Header().Set("Connection", "close") // perhaps not all of the request is ever read
	reader, writer := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, err := io.Copy(writer, r.Body)
		writer.CloseWithError(err)
		_, _ = io.Copy(io.Discard, r.Body)
	}()
	return reader, func() {
		// A client whose last words meet a closed connection hears of that, and not of the program's end: it has a moment to
		// hang up first.
		reader.Close()
		_ = c.SetReadDeadline(time.Now().Add(closeTime))
		<-ended
	}
}

// signal passes a signal on to a program that runs.
func (s *Server) signal(r *http.Request) (any, error) {
	var request api.ExecSignal
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	process, ok := s.running.Load(request.ID)
	if !ok {
		return nil, refuse(http.StatusNotFound, words.Errorf("no such program is running"))
	}
	return done{}, process.(running).Signal(request.Signal)
}

// taken lets a program go on whose output was passed on.
func (s *Server) taken(r *http.Request) (any, error) {
	var request api.ExecTaken
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	if one, ok := s.running.Load(request.ID); ok && one.(running).out.taken != nil {
		select {
		case one.(running).out.taken <- struct{}{}:
		default:
		}
	}
	return done{}, nil
}

// execStream is the answer to one exec.
type execStream struct {
	gone  <-chan struct{}
	taken chan struct{} // the client has passed on what was written; nil: nobody waits for that

	mu    sync.Mutex // held for one line
	lines *json.Encoder
}

func (e *execStream) send(o api.ExecOutput) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lines.Encode(o)
}

// execWriter is where a program writes.
type execWriter struct {
	to     *execStream
	errors bool // it is standard error
}

// Write implements io.Writer.
func (w execWriter) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	line := api.ExecOutput{Stdout: b}
	if w.errors {
		line = api.ExecOutput{Stderr: b}
	}
	line.Await = w.to.taken != nil
	err := w.to.send(line)
	if line.Await && err == nil {
		select {
		case <-w.to.taken:
		case <-w.to.gone:
		}
	}
	return len(b), err
}
