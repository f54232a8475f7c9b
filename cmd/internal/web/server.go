package web

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"uswitch/cmd/internal/control/api"
)

// Bounds of a request.
const (
	maxHeader = 16 << 10
	maxBody   = 1 << 20
	maxPlan   = 16 << 20 // of apply and of a capture, as the lab has it
	headTime  = 5 * time.Second
	readTime  = 20 * time.Second
	writeTime = time.Minute // for an answer that is not a stream
	idleTime  = time.Minute
	closeTime = time.Second
)

// Handler answers for the page of a lab: files to everybody on this machine, the lab to those who know the token. port is that of
// the address it is reached by; empty stands for any.
func Handler(lab *api.Client, token, port string) http.Handler {
	g := &guard{token, port}
	mux := http.NewServeMux()
	mux.Handle("/v1/", g.secret(handOn(lab)))
	mux.Handle("/terminal", only(http.MethodGet, terminal(lab, g)))
	mux.Handle("/", only(http.MethodGet, http.HandlerFunc(file)))
	return g.check(mux)
}

// only answers requests of one method.
func only(method string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			refuse(w, http.StatusMethodNotAllowed, r.Method+" "+r.URL.Path+": want "+method)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Serve answers on l until ctx ends.
func Serve(ctx context.Context, l net.Listener, handler http.Handler) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	s := http.Server{Handler: handler, ReadHeaderTimeout: headTime, ReadTimeout: readTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return ctx }}
	defer context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		if s.Shutdown(last) != nil {
			s.Close()
		}
	})()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// streams are what the page follows for as long as it likes.
var streams = []string{api.EventsPath, "/v1/step", "/v1/trace", api.ExecPath}

// asked is what the page may ask of a lab, by method and path; a path that ends in / stands for all below it. It cannot end the lab.
var asked = map[string][]string{
	http.MethodGet: {"/v1/lab", "/v1/plan", "/v1/hosts", "/v1/networks", "/v1/ports", "/v1/devices", "/v1/graph", "/v1/fdb", "/v1/neigh", "/v1/routes", "/v1/drops",
		"/v1/conntrack", "/v1/publish", "/v1/iptables-save", "/v1/reach", "/v1/journey", "/v1/logs", "/v1/trace", "/v1/step", api.EventsPath, api.PastPath},
	http.MethodPost: {"/v1/step", "/v1/iptables", "/v1/publish", "/v1/set", "/v1/explain", "/v1/why-not", api.ApplyPath, api.CapturedPath, api.ExecPath, "/v1/exec/signal", api.ExecTakenPath,
		api.DockerPath + "/networks/", api.DockerPath + "/containers/"},
	http.MethodDelete: {"/v1/publish", "/v1/fdb", "/v1/neigh", "/v1/conntrack"},
}

func mayAsk(method, of string) bool {
	return slices.ContainsFunc(asked[method], func(p string) bool {
		return p == of || strings.HasSuffix(p, "/") && strings.HasPrefix(of, p)
	})
}

// handOn hands requests on to the lab, and its answers back.
func handOn(lab *api.Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !mayAsk(r.Method, r.URL.Path) {
			refuse(w, http.StatusNotFound, r.Method+" "+r.URL.Path+": the page cannot ask for that")
			return
		}
		c := http.NewResponseController(w)
		follows := slices.Contains(streams, r.URL.Path) && r.URL.Path != "/v1/step" || r.URL.Path == "/v1/step" && r.Method == http.MethodGet
		_ = c.SetWriteDeadline(deadline(follows))
		limit := int64(maxBody)
		if r.URL.Path == api.ApplyPath || r.URL.Path == api.CapturedPath {
			limit = maxPlan
		}
		var body any
		if r.Method != http.MethodGet {
			text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
			if err != nil {
				refuse(w, http.StatusRequestEntityTooLarge, err.Error())
				return
			}
			body = strings.NewReader(string(text))
		}
		query := r.URL.Query()
		if last := r.Header.Get("Last-Event-ID"); last != "" {
			query.Set("after", last)
		}
		if follows {
			_ = c.SetReadDeadline(time.Time{})
		}
		answer, err := lab.Stream(r.Context(), r.Method, r.URL.Path, query, body)
		if err != nil {
			tell(w, err)
			return
		}
		defer answer.Close()
		w.Header().Set("Content-Type", contentType(r.URL.Path))
		w.WriteHeader(http.StatusOK)
		_, _ = io.Copy(&flushed{w, c, follows}, answer)
	})
}

func deadline(follows bool) time.Time {
	if follows {
		return time.Time{}
	}
	return time.Now().Add(writeTime)
}

// contentType is never one that a browser would show as a page.
func contentType(of string) string {
	switch of {
	case api.EventsPath:
		return "text/event-stream"
	case "/v1/trace":
		return "application/octet-stream"
	case "/v1/iptables-save":
		return "text/plain; charset=utf-8"
	}
	return "application/json"
}

// flushed sends what is followed at once. A page that does not take it for too long is given up.
type flushed struct {
	w       http.ResponseWriter
	c       *http.ResponseController
	follows bool
}

func (f *flushed) Write(b []byte) (int, error) {
	if f.follows {
		_ = f.c.SetWriteDeadline(time.Now().Add(writeTime))
	}
	n, err := f.w.Write(b)
	if err == nil && f.follows {
		err = f.c.Flush()
	}
	return n, err
}

// tell passes on why the lab says no.
func tell(w http.ResponseWriter, err error) {
	var e *api.Error
	if !errors.As(err, &e) {
		e = &api.Error{Code: http.StatusBadGateway, Message: err.Error()}
	}
	answer(w, e)
}

func refuse(w http.ResponseWriter, code int, message string) {
	answer(w, &api.Error{Code: code, Message: message})
}

func answer(w http.ResponseWriter, e *api.Error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Code)
	_ = json.NewEncoder(w).Encode(e)
}

// file gives one of the page's files.
func file(w http.ResponseWriter, r *http.Request) {
	name := cmp.Or(strings.TrimPrefix(r.URL.Path, "/"), "index.html")
	text, err := fs.ReadFile(Files(), name)
	kind := kinds[path.Ext(name)]
	if err != nil || kind == "" {
		refuse(w, http.StatusNotFound, r.URL.Path+": the page has no such file")
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(text)
}

// kinds are the types of the page's files.
var kinds = map[string]string{".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".txt": "text/plain; charset=utf-8"}

// bundle is what `make web` has made of page/src.
//
//go:embed page/dist
var bundle embed.FS

// Files returns the page: index.html and what that loads.
func Files() fs.FS {
	files, err := fs.Sub(bundle, "page/dist")
	if err != nil {
		panic("web: " + err.Error()) // the name is well-formed
	}
	return files
}
