package engine_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"uswitch/cmd/internal/docker/engine"
	"uswitch/cmd/internal/docker/types"
)

// logs returns a container's output by way of the API.
func logs(t *testing.T, e *engine.Engine, id, query string) (out, err string) {
	t.Helper()
	answer := httptest.NewRecorder()
	e.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/containers/"+id+"/logs?"+query, nil))
	var stdout, stderr bytes.Buffer
	if failed := types.Demultiplex(answer.Body, &stdout, &stderr); failed != nil || answer.Code != http.StatusOK {
		t.Fatalf("%d, %v", answer.Code, failed)
	}
	return stdout.String(), stderr.String()
}

func waitLog(t *testing.T, e *engine.Engine, id, want string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if out, _ := logs(t, e, id, ""); out == want {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("the log holds %q, want %q", out, want)
		}
	}
}

// TestRunsAndEnds: a command's output, its status, and that --rm leaves nothing.
func TestRunsAndEnds(t *testing.T) {
	e := newFake(t, "").engine(t)
	r := sleeper("none")
	r.Cmd = []string{"sh", "-c", "echo one; echo two >&2; printf three; exit 7"}
	id := create(t, e, "said", r)
	wait, err := e.Wait(id, "next-exit")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(id); err != nil {
		t.Fatal(err)
	}
	if got, err := wait(context.Background()); err != nil || got.StatusCode != 7 {
		t.Errorf("%+v, %v: want 7", got, err)
	}
	if out, err := logs(t, e, id, ""); out != "one\nthree" || err != "two\n" {
		t.Errorf("stdout %q, stderr %q", out, err)
	}
	if out, err := logs(t, e, id, "tail=1&timestamps=1&follow=1"); out != "2026-11-21T08:00:00Z three" || err != "" {
		t.Errorf("stdout %q, stderr %q", out, err)
	}
	r.HostConfig.AutoRemove = true
	id = create(t, e, "brief", r)
	if wait, err = e.Wait(id, "removed"); err != nil {
		t.Fatal(err)
	}
	if err := e.Start(id); err != nil {
		t.Fatal(err)
	}
	if got, err := wait(context.Background()); err != nil || got.StatusCode != 7 {
		t.Errorf("%+v, %v: want 7", got, err)
	}
	if _, err := e.Inspect(id); err == nil {
		t.Error("--rm has left it")
	}
}

// upgrade makes of a request a connection that is spoken on both ways, until the end of the test.
func upgrade(t *testing.T, e *engine.Engine, path, body string) io.ReadWriter {
	t.Helper()
	server := httptest.NewServer(e.Handler())
	t.Cleanup(server.Close)
	request, _ := http.NewRequest(http.MethodPost, server.URL+path, strings.NewReader(body))
	request.Header.Set("Connection", "Upgrade")
	request.Header.Set("Upgrade", "tcp")
	answer, err := server.Client().Do(request)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", answer, err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer.Body.(io.ReadWriter)
}

// attach upgrades a connection to a container that is then started.
func attach(t *testing.T, e *engine.Engine, id, typed string) (out, err string) {
	t.Helper()
	server := httptest.NewServer(e.Handler())
	defer server.Close()
	request, _ := http.NewRequest(http.MethodPost, server.URL+"/containers/"+id+"/attach?stdin=1", nil)
	request.Header.Set("Connection", "Upgrade")
	request.Header.Set("Upgrade", "tcp")
	answer, failed := server.Client().Do(request)
	if failed != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", answer, failed)
	}
	defer answer.Body.Close()
	if failed := e.Start(id); failed != nil {
		t.Fatal(failed)
	}
	if _, failed := io.WriteString(answer.Body.(io.Writer), typed); failed != nil {
		t.Fatal(failed)
	}
	var stdout, stderr bytes.Buffer
	if strings.HasSuffix(answer.Header.Get("Content-Type"), "raw-stream") {
		_, failed = io.Copy(&stdout, answer.Body)
	} else {
		failed = types.Demultiplex(answer.Body, &stdout, &stderr)
	}
	if failed != nil {
		t.Fatal(failed)
	}
	return stdout.String(), stderr.String()
}

// TestAttach: who attaches before the start misses nothing, and can type.
func TestAttach(t *testing.T) {
	e := newFake(t, "").engine(t)
	r := sleeper("none")
	r.OpenStdin, r.Cmd = true, []string{"sh", "-c", "read a; echo got $a; echo bad >&2"}
	if out, err := attach(t, e, create(t, e, "pipes", r), "this\n"); out != "got this\n" || err != "bad\n" {
		t.Errorf("stdout %q, stderr %q", out, err)
	}
	r.Tty, r.Cmd = true, []string{"sh", "-c", "test -t 0 && test -t 1 && read a && echo got $a"}
	if out, err := attach(t, e, create(t, e, "terminal", r), "this\n"); out != "this\r\ngot this\r\n" || err != "" {
		t.Errorf("terminal: %q, %q", out, err)
	}
	id := create(t, e, "never", sleeper("nowhere"))
	server := httptest.NewServer(e.Handler())
	defer server.Close()
	request, _ := http.NewRequest(http.MethodPost, server.URL+"/containers/"+id+"/attach?stdin=1", nil)
	answer, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(id); err == nil {
		t.Fatal("started")
	}
	if rest, _ := io.ReadAll(answer.Body); len(rest) > 0 { // and it ends
		t.Errorf("%q", rest)
	}
}

// TestFirstWords: a command may have said everything and ended before the engine knows that it has started.
func TestFirstWords(t *testing.T) {
	f := newFake(t, "")
	f.slow = 100 * time.Millisecond
	e := f.engine(t)
	r := sleeper("none")
	r.Cmd = []string{"sh", "-c", "echo one; echo two >&2"}
	if out, err := attach(t, e, create(t, e, "brief", r), ""); out != "one\n" || err != "two\n" {
		t.Errorf("stdout %q, stderr %q", out, err)
	}
	start(t, e, "web", sleeper("none"))
	made, err := e.Exec("web", types.ExecConfig{Cmd: []string{"echo", "said"}})
	if err != nil {
		t.Fatal(err)
	}
	answer := upgrade(t, e, "/exec/"+made.ID+"/start", "{}")
	var stdout bytes.Buffer
	if err := types.Demultiplex(answer, &stdout, io.Discard); err != nil || stdout.String() != "said\n" {
		t.Errorf("exec: %q, %v", stdout.String(), err)
	}
}

// TestService: the services of the lab's file are containers, too.
func TestService(t *testing.T) {
	e := newFake(t, `{name: shop, networks: {front: {}}, services: {AA: {networks: [front], command: sleep 300}, B: {networks: [front]}}}`).engine(t)
	var names []string
	for _, c := range e.List(false) {
		names = append(names, c.Names[0]+" "+c.Command+" "+c.State)
	}
	if got := strings.Join(names, ", "); got != "/shop-B-1  running, /shop-AA-1 sleep 300 running" {
		t.Error(got)
	}
	byService, err := e.Inspect("AA")
	if err != nil || byService.Name != "/shop-AA-1" || byService.State.Pid != 42 || byService.NetworkSettings.Networks["shop_front"].IPAddress != "172.18.0.2" {
		t.Errorf("%+v, %v", byService, err)
	}
	refused(t, e.Remove("shop-AA-1", true), http.StatusConflict, "container shop-AA-1 is a service of the lab's file: uswitch apply takes it out")
	if out, _ := logs(t, e, "AA", "follow=1"); out != "said by A\n" {
		t.Errorf("%q", out)
	}
	_, err = e.Create("AA", types.CreateRequest{Config: types.Config{Image: "busybox"}})
	if err == nil || !strings.HasPrefix(err.Error(), `Conflict. The container name "/AA" is already in use`) {
		t.Errorf("the service's name: %v", err)
	}
	// docker0 comes with the first container that asks for no network.
	start(t, e, "first", sleeper(""))
	if got := address(t, e, "first", "bridge"); got != "172.17.0.2" {
		t.Errorf("first has %s", got)
	}
}

// TestExec: a program beside a container's own, with its output and its status.
func TestExec(t *testing.T) {
	e := newFake(t, "").engine(t)
	id := start(t, e, "web", sleeper(""))
	made, err := e.Exec("web", types.ExecConfig{AttachStdin: true, Cmd: []string{"sh", "-c", "read a; echo $a $B; exit 4"}, Env: []string{"B=b"}})
	if err != nil {
		t.Fatal(err)
	}
	answer := upgrade(t, e, "/exec/"+made.ID+"/start", "{}")
	if _, err := io.WriteString(answer, "typed\n"); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if err := types.Demultiplex(answer, &stdout, &stderr); err != nil || stdout.String() != "typed b\n" {
		t.Errorf("%q, %q, %v", stdout.String(), stderr.String(), err)
	}
	x, err := e.InspectExec(made.ID)
	if err != nil || x.Running || x.ExitCode == nil || *x.ExitCode != 4 || x.ContainerID != id {
		t.Errorf("%+v, %v", x, err)
	}
	refusedBy := func(config types.ExecConfig, want string) {
		t.Helper()
		made, err := e.Exec("web", config)
		if err == nil {
			answer := httptest.NewRecorder()
			e.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/exec/"+made.ID+"/start", strings.NewReader(`{"Detach": true}`)))
			if !strings.Contains(answer.Body.String(), want) {
				t.Errorf("%s: want %s", answer.Body, want)
			}
			return
		}
		refused(t, err, http.StatusBadRequest, want)
	}
	refusedBy(types.ExecConfig{}, "no exec command specified")
	refusedBy(types.ExecConfig{Cmd: []string{"no-such-program"}}, `exec: \"no-such-program\": executable file not found in $PATH`)
	if err := e.Stop("web", time.Minute); err != nil {
		t.Fatal(err)
	}
	_, err = e.Exec("web", types.ExecConfig{Cmd: []string{"true"}})
	refused(t, err, http.StatusConflict, "container "+id+" is not running")
	_, err = e.InspectExec(made.ID)
	refused(t, err, http.StatusNotFound, "No such exec instance: "+made.ID)
}

// lagging reads a little at a time, and not often.
type lagging struct{ io.Reader }

func (l lagging) Read(b []byte) (int, error) {
	time.Sleep(20 * time.Millisecond)
	return l.Reader.Read(b[:min(len(b), 8<<10)])
}

// TestSlowReader: who reads slowly gets all of the output, and so does who asks afterwards; with a terminal as without, and
// of a program beside the container's own.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	const lines = 60000
	whole := func(t *testing.T, what, text string) {
		t.Helper()
		text = strings.ReplaceAll(text, "\r", "")
		if n := strings.Count(text, "\n"); n != lines || !strings.HasSuffix(text, "\n60000\n") {
			t.Errorf("%s: %d lines of %d", what, n, lines)
		}
	}
	for _, terminal := range []bool{false, true} {
		e := newFake(t, "").engine(t)
		r := sleeper("none")
		r.Tty, r.Cmd = terminal, []string{"seq", "1", "60000"}
		id := create(t, e, "counts", r)
		conn := upgrade(t, e, "/containers/"+id+"/attach", "")
		wait, err := e.Wait(id, "next-exit")
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Start(id); err != nil {
			t.Fatal(err)
		}
		read := func(from io.Reader) string {
			var out bytes.Buffer
			if terminal {
				_, err = io.Copy(&out, from)
			} else {
				err = types.Demultiplex(from, &out, io.Discard)
			}
			if err != nil {
				t.Error(err)
			}
			return out.String()
		}
		whole(t, "attached", read(bufio.NewReaderSize(lagging{conn}, 8<<10)))
		if _, err := wait(context.Background()); err != nil {
			t.Error(err)
		}
		answer := httptest.NewRecorder()
		e.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/containers/"+id+"/logs", nil))
		whole(t, "the log", read(answer.Body))
		start(t, e, "beside", sleeper("none"))
		made, err := e.Exec("beside", types.ExecConfig{Cmd: r.Cmd, Tty: terminal})
		if err != nil {
			t.Fatal(err)
		}
		whole(t, "exec", read(bufio.NewReaderSize(lagging{upgrade(t, e, "/exec/"+made.ID+"/start", "{}")}, 8<<10)))
	}
}

// TestTerminalIsHeld: a container whose command has ended has ended, also while somebody whom it has left behind holds its
// terminal.
func TestTerminalIsHeld(t *testing.T) {
	t.Parallel()
	e := newFake(t, "").engine(t)
	fifo := filepath.Join(t.TempDir(), "left")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	r := sleeper("none")
	r.Tty, r.Cmd = true, []string{"sh", "-c", `setsid sh -c 'echo > "$0"; exec sleep 300' "$0" & echo $!; read at < "$0"`, fifo}
	text, _ := attach(t, e, create(t, e, "held", r), "")
	pid, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Error("nobody was left behind:", err)
	}
}

// TestNobodyReads: a container whose command has ended has ended, also while somebody is attached who reads nothing.
func TestNobodyReads(t *testing.T) {
	t.Parallel()
	e := newFake(t, "").engine(t)
	r := sleeper("none")
	r.Cmd = []string{"sh", "-c", "seq 1 10000; exec sleep 300"}
	id := create(t, e, "unread", r)
	conn := upgrade(t, e, "/containers/"+id+"/attach", "")
	if err := e.Start(id); err != nil {
		t.Fatal(err)
	}
	if err := e.Stop(id, 0); err != nil {
		t.Fatal(err)
	}
	_ = types.Demultiplex(conn, io.Discard, io.Discard) // which ends
}

// TestDetach: who goes away takes the command's input along only if it was for them alone.
func TestDetach(t *testing.T) {
	t.Parallel()
	e := newFake(t, "").engine(t)
	r := sleeper("none")
	r.OpenStdin, r.Cmd = true, []string{"cat"}
	id := start(t, e, "kept", r)
	say := func(text string) {
		t.Helper()
		conn := upgrade(t, e, "/containers/"+id+"/attach?stdin=1&stdout=1", "")
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		if got := make([]byte, 8+len(text)); true {
			if _, err := io.ReadFull(conn, got); err != nil || string(got[8:]) != text {
				t.Fatalf("%q, %v", got, err)
			}
		}
		conn.(io.Closer).Close()
	}
	for _, text := range []string{"one\n", "two\n", "three\n"} {
		say(text) // had the first taken the input along, nobody would answer the second
	}
	if err := e.Stop(id, time.Minute); err != nil {
		t.Fatal(err)
	}
	r.StdinOnce = true
	id = start(t, e, "taken", r)
	wait, err := e.Wait(id, "not-running")
	if err != nil {
		t.Fatal(err)
	}
	say("one\n")
	if got, err := wait(context.Background()); err != nil || got.StatusCode != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestGone: an attachment ends with its client, also where the command says nothing.
func TestGone(t *testing.T) {
	t.Parallel()
	e := newFake(t, "").engine(t)
	id := start(t, e, "silent", sleeper("none"))
	ended := make(chan struct{})
	handler := e.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		close(ended)
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /containers/%s/attach?stdout=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", id)
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("the attachment goes on")
	}
}

// TestLogLoss: a log whose beginning is forgotten says how much that is.
func TestLogLoss(t *testing.T) {
	t.Parallel()
	e := newFake(t, "").engine(t)
	r := sleeper("none")
	r.Cmd = []string{"seq", "-w", "1", "200000"} // of seven bytes each
	id := create(t, e, "long", r)
	wait, err := e.Wait(id, "next-exit")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(id); err != nil {
		t.Fatal(err)
	}
	if _, err := wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	out, about := logs(t, e, id, "")
	kept := strings.Count(out, "\n")
	if want := fmt.Sprintf("uswitch: %d lines of long are lost here: of what it writes the last 1MiB are kept\n", 200000-kept); about != want || kept < 100000 {
		t.Errorf("%d lines kept, and %q: want %q", kept, about, want)
	}
	if out, about := logs(t, e, id, "tail=2"); out != "199999\n200000\n" || about != "" {
		t.Errorf("%q, %q", out, about)
	}
}
