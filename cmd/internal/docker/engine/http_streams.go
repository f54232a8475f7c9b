package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"uswitch/cmd/internal/docker/types"
)

// postWait sends its head at once, so that who waits knows that nothing will be missed.
func (e *Engine) postWait(w http.ResponseWriter, r *http.Request) {
	wait, err := e.Wait(r.PathValue("id"), r.URL.Query().Get("condition"))
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	beginAnswer(w)
	if answer, err := wait(r.Context()); err == nil {
		_ = json.NewEncoder(w).Encode(answer)
	}
}

// postStop answers at once, too, and ends the answer when the container has ended.
func (e *Engine) postStop(w http.ResponseWriter, r *http.Request) {
	patience := time.Duration(-1)
	if text := r.URL.Query().Get("t"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil {
			refuse(w, invalid("t=%s: want seconds", text))
			return
		}
		patience = time.Duration(seconds) * time.Second
	}
	stop, err := e.stopping(r.PathValue("id"), patience)
	if err != nil {
		refuse(w, err)
		return
	}
	beginAnswer(w)
	stop()
}

// beginAnswer sends the head of an answer that takes its time.
func beginAnswer(w http.ResponseWriter) {
	endless(w)
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
}

// endless takes away the time that an answer may take.
func endless(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
}

// streamsOn returns how a container's outputs share a connection: as they are from a terminal, else in frames.
func streamsOn(out io.Writer) func(terminal bool) func(stream) io.Writer {
	return func(terminal bool) func(stream) io.Writer {
		return func(s stream) io.Writer {
			if terminal {
				return out
			}
			return types.Frames{Out: out, Stream: byte(s)}
		}
	}
}

// contentType is what Docker calls these two.
func contentType(terminal bool) string {
	if terminal {
		return "application/vnd.docker.raw-stream"
	}
	return "application/vnd.docker.multiplexed-stream"
}

func (e *Engine) getLogs(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	o := LogOptions{Tail: -1, Timestamps: flag(r, "timestamps"), Follow: flag(r, "follow")}
	if text := q.Get("tail"); text != "" && text != "all" {
		if n, err := strconv.Atoi(text); err == nil {
			o.Tail = n
		}
	}
	endless(w)
	to := streamsOn(flushed{w})
	err := e.Logs(r.Context(), r.PathValue("id"), o, func(terminal bool) func(stream) io.Writer {
		w.Header().Set("Content-Type", contentType(terminal))
		w.WriteHeader(http.StatusOK)
		return to(terminal)
	})
	var own *Error
	if errors.As(err, &own) {
		refuse(w, err)
	}
}

// flushed sends what is written at once.
type flushed struct{ http.ResponseWriter }

func (f flushed) Write(b []byte) (int, error) {
	n, err := f.ResponseWriter.Write(b)
	_ = http.NewResponseController(f.ResponseWriter).Flush()
	return n, err
}

// postAttach makes of the connection one to the container: what comes is typed there, what goes is its output.
func (e *Engine) postAttach(w http.ResponseWriter, r *http.Request) {
	d, err := e.Inspect(r.PathValue("id"))
	if err != nil {
		refuse(w, err)
		return
	}
	line := newLine()
	var typed io.Reader
	if flag(r, "stdin") {
		typed = line
	}
	a, err := e.listen(d.ID, typed, streamsOn(line))
	line.open(w, d.Config.Tty, a, err)
}

// postExecStart does the same with a program that is to run beside the container's own, and starts it.
func (e *Engine) postExecStart(w http.ResponseWriter, r *http.Request) {
	var request types.ExecStartRequest
	if err := body(r, &request); err != nil {
		refuse(w, err)
		return
	}
	if request.Detach {
		_, err := e.startExec(r.PathValue("id"), nil, streamsOn(io.Discard))
		respond(w, nil, err)
		return
	}
	line := newLine()
	a, err := e.startExec(r.PathValue("id"), line, streamsOn(line))
	line.open(w, request.Tty, a, err)
}

// line is a connection that is spoken on once it is open: who reads or writes waits for that.
type line struct {
	opened chan struct{}
	conn   net.Conn
	in     io.Reader
}

func newLine() *line { return &line{opened: make(chan struct{})} }

func (l *line) Write(b []byte) (int, error) {
	if <-l.opened; l.conn == nil {
		return 0, net.ErrClosed
	}
	return l.conn.Write(b)
}

func (l *line) Read(b []byte) (int, error) {
	if <-l.opened; l.conn == nil {
		return 0, net.ErrClosed
	}
	return l.in.Read(b)
}

// open takes the connection of a request for what is attached to it, and lets go of it at the end of that; or it refuses
// the request if there is an error already.
func (l *line) open(w http.ResponseWriter, terminal bool, a *attachment, err error) {
	if err != nil {
		refuse(w, err)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		close(l.opened)
		refuse(w, err)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Time{})
	fmt.Fprintf(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: %s\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n", contentType(terminal))
	l.conn, l.in = conn, buffered
	close(l.opened)
	for {
		select {
		case <-a.ended:
			return
		case <-time.After(lookTime):
			if hungUp(conn) {
				a.leave()
			}
		}
	}
}

// lookTime is how often it is looked whether a client is still there that says nothing and hears nothing.
const lookTime = time.Second
