package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/web"
)

const token = "the-token-of-this-test"

// lab is one that writes down what it was asked.
func lab(asked func(*http.Request)) *api.Client {
	return api.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked(r)
		_, _ = io.WriteString(w, `{"name":"<img src=x onerror=alert(1)>"}`)
	}), "w")
}

func TestWhoIsAnswered(t *testing.T) {
	t.Parallel()
	const own = "http://127.0.0.1:7000"
	for _, tt := range []struct {
		name, method, path, host, origin, token string
		want                                    int
	}{
		{"the page's files are for all", "GET", "/", "127.0.0.1:7000", "", "", 200},
		{"by the other name", "GET", "/app.js", "localhost:7000", "", "", 200},
		{"a name that leads here from elsewhere", "GET", "/", "evil.example:7000", "", "", 421},
		{"a name that begins like ours", "GET", "/", "127.0.0.1.evil.example:7000", "", "", 421},
		{"another port: a server of somebody else's", "GET", "/", "127.0.0.1:7001", "", "", 421},
		{"no port", "GET", "/", "127.0.0.1", "", "", 421},
		{"no token", "GET", "/v1/lab", "127.0.0.1:7000", "", "", 401},
		{"a wrong token", "GET", "/v1/lab", "127.0.0.1:7000", "", "the-token-of-this-tesT", 401},
		{"a token that is longer", "GET", "/v1/lab", "127.0.0.1:7000", "", token + "x", 401},
		{"the token", "GET", "/v1/lab", "127.0.0.1:7000", "", token, 200},
		{"the token, from this page", "POST", "/v1/iptables", "127.0.0.1:7000", own, token, 200},
		{"the token, from the page of another name", "POST", "/v1/iptables", "127.0.0.1:7000", "http://localhost:7000", token, 403},
		{"the token, from the page of another port", "POST", "/v1/iptables", "127.0.0.1:7000", "http://127.0.0.1:7001", token, 403},
		{"the token, from a file", "POST", "/v1/iptables", "127.0.0.1:7000", "null", token, 403},
		{"the token, from nowhere", "POST", "/v1/iptables", "127.0.0.1:7000", "", token, 403},
		{"a page of somebody else's may not even look", "GET", "/v1/lab", "127.0.0.1:7000", "https://evil.example", token, 403},
		{"the page cannot end the lab", "POST", "/v1/stop", "127.0.0.1:7000", own, token, 404},
		{"nor ask in other ways", "PUT", "/v1/lab", "127.0.0.1:7000", own, token, 404},
		{"nor climb", "POST", "/v1/docker/networks/../../stop", "127.0.0.1:7000", own, token, 307},
		{"files are only read", "POST", "/", "127.0.0.1:7000", own, "", 405},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asked := false
			handler := web.Handler(lab(func(*http.Request) { asked = true }), token, "7000")
			r := httptest.NewRequest(tt.method, tt.path, strings.NewReader("{}"))
			r.Host = tt.host
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
			if tt.token != "" {
				r.Header.Set("Authorization", "Bearer "+tt.token)
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("%d, want %d: %s", w.Code, tt.want, w.Body)
			}
			if wantAsked := tt.want == 200 && strings.HasPrefix(tt.path, "/v1/"); asked != wantAsked {
				t.Errorf("the lab was asked: %v", asked)
			}
			h := w.Result().Header
			if policy := h.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self';") || strings.Contains(policy, "script-src 'self' 'unsafe") {
				t.Errorf("policy %q", policy)
			}
			if h.Get("Access-Control-Allow-Origin") != "" || h.Get("Set-Cookie") != "" {
				t.Errorf("headers %v", h)
			}
			if strings.HasPrefix(tt.path, "/v1/") && strings.Contains(h.Get("Content-Type"), "html") && tt.want != 307 {
				t.Errorf("a lab's answer as %s", h.Get("Content-Type"))
			}
		})
	}
}

// TestASocketIsReachedByAnyPort: whoever forwards a port to it chooses that.
func TestASocketIsReachedByAnyPort(t *testing.T) {
	t.Parallel()
	handler := web.Handler(lab(func(*http.Request) {}), token, "")
	for host, want := range map[string]int{"localhost:8080": 200, "127.0.0.1:9": 200, "evil.example:8080": 421} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", host, w.Code, want)
		}
	}
}

func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	asked := false
	handler := web.Handler(lab(func(*http.Request) { asked = true }), token, "7000")
	r := httptest.NewRequest("POST", "/v1/iptables", strings.NewReader(strings.Repeat("x", 2<<20)))
	r.Host = "127.0.0.1:7000"
	r.Header.Set("Origin", "http://127.0.0.1:7000")
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge || asked {
		t.Errorf("%d, the lab was asked: %v", w.Code, asked)
	}
}

// serve answers on a port of its own until the test ends.
func serve(t *testing.T, lab *api.Client) (address string) {
	t.Helper()
	l, port, err := web.Listen(web.DefaultListen)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(ctx, l, web.Handler(lab, token, port)) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "127.0.0.1:" + port
}

// TestHalfARequest: who begins a request and says no more is hung up on, and keeps nobody from being answered.
func TestHalfARequest(t *testing.T) {
	t.Parallel()
	address := serve(t, lab(func(*http.Request) {}))
	slow, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if _, err := io.WriteString(slow, "GET / HTTP/1.1\r\nHost: "); err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get("http://" + address + "/")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if _, err := io.ReadAll(slow); err != nil && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
}

func TestTerminalWantsTheToken(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 8)
	address := serve(t, lab(func(r *http.Request) { asked <- r.URL.Path }))
	dial := func(origin string) (*websocket.Conn, *http.Response, error) {
		return websocket.Dial(context.Background(), "ws://"+address+"/terminal", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
	}
	for _, origin := range []string{"", "http://evil.example", "http://127.0.0.1:1"} {
		if _, r, err := dial(origin); err == nil || r == nil || r.StatusCode != http.StatusForbidden {
			t.Errorf("origin %q: %v", origin, err)
		}
	}
	for first, want := range map[string]websocket.StatusCode{
		`{"token":"wrong","host":"RED","args":["sh"]}`: websocket.StatusPolicyViolation,
		`{`:                                      websocket.StatusPolicyViolation,
		`{"token":"` + token + `","host":"RED"}`: websocket.StatusNormalClosure, // nothing to run
		`{"token":"` + token + `","host":"a/b","args":[""]}`: websocket.StatusNormalClosure,
	} {
		socket, _, err := dial("http://" + address)
		if err != nil {
			t.Fatal(err)
		}
		if err := socket.Write(context.Background(), websocket.MessageText, []byte(first)); err != nil {
			t.Fatal(err)
		}
		if _, _, err = socket.Read(context.Background()); websocket.CloseStatus(err) != want {
			t.Errorf("%s: %v, want status %d", first, err, want)
		}
		socket.CloseNow()
	}
	close(asked)
	for path := range asked {
		if path != "/v1/docker/containers/a/b/exec" {
			t.Errorf("the lab was asked for %s", path)
		}
	}
}

func TestListenIsForThisMachine(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:80", "lab.example:80", "127.0.0.1", "127.0.0.1:99999"} {
		if l, _, err := web.Listen(where); err == nil {
			l.Close()
			t.Errorf("%s is listened at", where)
		} else if !strings.Contains(err.Error(), where) {
			t.Errorf("%s: %v", where, err)
		}
	}
}

func TestListenOnASocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "page.sock")
	l, port, err := web.Listen("unix:" + path)
	if err != nil || port != "" {
		t.Fatal(port, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("mode %v (%v), want a socket for its owner alone", info.Mode(), err)
	}
	if _, _, err := web.Listen("unix:" + path); err == nil || !strings.Contains(err.Error(), "somebody listens there") {
		t.Errorf("twice: %v", err)
	}
	if text, url := web.Invitation(l, port, "t"); url != "" || !strings.Contains(text, "ssh -N -L 8080:"+path) {
		t.Errorf("%q, %q", text, url)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := web.Listen("unix:" + path); err == nil {
		t.Error("a file that is no socket was replaced")
	}
}

// FuzzAsked: whatever the page asks, the lab is asked only what the page may, and every answer is JSON or text.
func FuzzAsked(f *testing.F) {
	f.Add("GET", "/v1/lab", "", "")
	f.Add("POST", "/v1/docker/networks/%2e%2e/%2e%2e/stop", "", "{}")
	f.Add("POST", "/v1/exec?host=RED&arg=sh", "3-1.7", "input")
	f.Add("DELETE", "//v1/stop", "", "")
	f.Fuzz(func(t *testing.T, method, target, last, body string) {
		if !strings.HasPrefix(target, "/") || method == "" || strings.ContainsFunc(method, func(r rune) bool { return r < 'A' || r > 'Z' }) {
			return
		}
		r, err := http.NewRequest(method, "http://127.0.0.1:7000"+target, strings.NewReader(body))
		if err != nil {
			return
		}
		r.Header = http.Header{"Origin": {"http://127.0.0.1:7000"}, "Authorization": {"Bearer " + token}, "Last-Event-Id": {last}}
		r.Host = "127.0.0.1:7000"
		handler := web.Handler(lab(func(r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/stop") && !strings.HasPrefix(r.URL.Path, "/v1/docker/") {
				t.Errorf("the lab was asked for %s %s", r.Method, r.URL.Path)
			}
		}), token, "7000")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 400 {
			var e api.Error
			if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Message == "" {
				t.Errorf("%s %s: %d %q", method, target, w.Code, w.Body)
			}
		}
	})
}
