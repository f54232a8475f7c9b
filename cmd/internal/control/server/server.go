package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/docker/engine"
	"uswitch/cmd/internal/words"
	"uswitch/cmd/internal/world"
)

// Bounds of a request.
const (
	maxHeader = 16 << 10
	maxBody   = 1 << 20
	headTime  = 5 * time.Second  // for a request's header
	readTime  = 20 * time.Second // for all of it: a plan of 16 MiB comes through on a busy machine too
	writeTime = 10 * time.Second // for an answer that is not a stream
	idleTime  = time.Minute      // between two requests
	closeTime = time.Second      // for answers under way when the lab ends
)

// Server answers for a world that is up.
type Server struct {
	world    *world.World
	engine   *engine.Engine
	version  string
	pid      int
	stop     func()
	http     http.Server
	guard    *guard
	streams  chan struct{} // a place for each
	numbers  numbers
	routing  sync.Mutex            // held while a route is looked at and changed; guards typed
	typed    map[netip.Prefix]bool // routes that somebody has added or changed by hand
	running  sync.Map              // string -> running: the programs of exec, by the id that their clients gave them
	raws     sync.Map              // uint16 -> rawSocket: those of a lab of virtual time, by their numbers
	asking   sync.Mutex            // held while a question is answered: each takes a copy of the lab
	steppers steppers
	prober   prober
	shared   sharedRing
	past     past
	end      context.CancelFunc
	served   sync.WaitGroup
}

// maxStreams bounds how many listen at once: each costs a queue.
const maxStreams = 64

// NewServer returns a server for w on l, which it closes in the end. stop is called when somebody asks for the lab's end.
func New(l net.Listener, w *world.World, version string, pid int, stop func()) *Server {
	ctx, end := context.WithCancel(context.Background())
	s := &Server{world: w, engine: newEngine(w), version: version, pid: pid, stop: stop, guard: newGuard(l),
		streams: make(chan struct{}, maxStreams), prober: prober{places: make(chan struct{}, maxProbes), nextID: uint16(pid)},
		shared: sharedRing{tracer: w.Tracer()}, end: end}
	s.remember()
	s.http = http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: headTime,
		ReadTimeout:       readTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	return s
}

// Start answers from now on, until Close.
func (s *Server) Start() {
	s.served.Go(func() { _ = s.http.Serve(s.guard) })
}

// Close ends containers, and streams with what they still hold, lets other answers end for a moment, and closes the socket.
func (s *Server) Close() error {
	s.engine.Close()
	s.end()
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		s.http.Close()
	}
	s.served.Wait()
	s.shared.close()
	return nil
}

// routed leads to what answers. api.Endpoints lists the same.
func (s *Server) routed() *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, answer := range map[string]func(*http.Request) (any, error){
		"GET /v1/lab":               s.lab,
		"GET /v1/plan":              s.plans,
		"GET /v1/hosts":             s.hosts,
		"GET /v1/networks":          s.networks,
		"GET /v1/ports":             s.ports,
		"GET /v1/fdb":               s.fdb,
		"DELETE /v1/fdb":            s.flushFDB,
		"GET /v1/tunnels":           s.tunnels,
		"POST /v1/tunnels":          s.changeRemote,
		"DELETE /v1/tunnels":        s.changeRemote,
		"GET /v1/neigh":             s.neighbors,
		"POST /v1/links":            s.addLink,
		"POST /v1/links/set":        s.setLink,
		"DELETE /v1/links":          s.deleteLink,
		"POST /v1/namespaces":       s.addNamespace,
		"DELETE /v1/namespaces":     s.deleteNamespace,
		"POST /v1/addresses":        s.addAddress,
		"DELETE /v1/addresses":      s.deleteAddress,
		"GET /v1/routes":            s.routes,
		"POST /v1/routes":           s.addRoute,
		"DELETE /v1/routes":         s.deleteRoute,
		"POST /v1/neigh":            s.addNeighbor,
		"DELETE /v1/neigh":          s.deleteNeighbors,
		"GET /v1/devices":           s.devices,
		"GET /v1/graph":             s.graph,
		"DELETE /v1/conntrack":      s.forgetConns,
		"GET /v1/publish":           s.published,
		"POST /v1/publish":          s.publish,
		"DELETE /v1/publish":        s.unpublish,
		"POST /v1/iptables":         s.iptables,
		"GET /v1/iptables-save":     s.save,
		"POST /v1/iptables-restore": s.restore,
		"POST /v1/set":              s.set,
		"POST /v1/explain":          s.explain,
		"POST /v1/why-not":          s.whyNot,
		"POST /v1/exec/signal":      s.signal,
		"POST " + api.ExecTakenPath: s.taken,
		"POST /v1/step":             s.goOn,
		"GET /v1/journey":           s.journey,
		"POST " + api.RawPath:       s.sendRaw,
		"POST " + api.RawWaitPath:   s.waitRaw,
		"POST /v1/stop":             s.stopLab,
		"GET " + api.OpenAPIPath:    func(*http.Request) (any, error) { return api.OpenAPI(), nil },
		"POST " + api.CapturedPath:  s.captured,
		"GET " + api.PastPath:       s.pastTables,
	} {
		mux.Handle(pattern, s.answer(answer))
	}
	mux.HandleFunc("POST "+api.ApplyPath, s.apply)
	mux.HandleFunc("GET /v1/logs", s.logs)
	mux.HandleFunc("GET /v1/conntrack", s.conns)
	mux.HandleFunc("GET /v1/drops", s.drops)
	mux.HandleFunc("GET /v1/trace", s.trace)
	mux.HandleFunc("GET "+api.EventsPath, s.events)
	mux.HandleFunc("POST "+api.ExecPath, s.exec)
	mux.HandleFunc("GET /v1/step", s.step)
	mux.HandleFunc("GET /v1/frames", s.frames)
	mux.HandleFunc("GET "+api.RawPath, s.openRaw)
	mux.HandleFunc("GET /v1/reach", s.reach)
	mux.HandleFunc("POST /v1/probes", s.probes)
	mux.Handle(api.DockerPath+"/", http.StripPrefix(api.DockerPath, s.engine.Handler()))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, r, refuse(http.StatusNotFound, words.Errorf("%s %s: there is no such thing to ask for", r.Method, r.URL.Path)))
	})
	return mux
}

// checked bounds the body and refuses clients of another API.
func checked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(api.VersionHeader, strconv.Itoa(api.Version))
		if theirs := r.Header.Get(api.VersionHeader); theirs != "" && theirs != strconv.Itoa(api.Version) {
			fail(w, r, refuse(http.StatusBadRequest, words.Errorf(
				"the lab speaks version %d of the control socket, and you speak %q: use the uswitch that runs the lab", api.Version, theirs)))
			return
		}
		switch r.URL.Path {
		case api.ExecPath: // what a program reads has no end of ours
		case api.ApplyPath, api.CapturedPath:
			r.Body = http.MaxBytesReader(w, r.Body, maxPlan)
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		}
		next.ServeHTTP(w, r)
	})
}

// writeWithin bounds how long an answer may take: by this machine's time, whatever the lab's.
func writeWithin(w http.ResponseWriter, d time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d))
}

// answer turns a function into a handler: what it returns is sent as JSON, text as it is.
func (s *Server) answer(f func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeWithin(w, writeTime)
		result, err := f(r)
		if err != nil {
			fail(w, r, err)
			return
		}
		send(w, result)
	})
}

func send(w http.ResponseWriter, result any) {
	if text, ok := result.(string); ok {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, text)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(result)
}

// fail sends an error to whoever has asked, in their language. What says no more is a request that could not be carried out.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	e := &api.Error{}
	no := &refusal{code: http.StatusUnprocessableEntity, error: err}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		no = &refusal{http.StatusRequestEntityTooLarge, words.Errorf("the request is larger than %d bytes", tooLarge.Limit)}
	case errors.As(err, &no):
	case errors.As(err, &e):
		no = nil
	}
	if no != nil {
		e = &api.Error{Code: no.code, Message: words.Text(reader(r), no.error)}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Code)
	_ = json.NewEncoder(w).Encode(e)
}

// refusal is an error with HTTP's code for it.
type refusal struct {
	code int
	error
}

// refuse returns the error for a request that is not carried out.
func refuse(code int, err error) error { return &refusal{code, err} }

// decode reads a request's JSON, and nothing beside it.
func decode(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && d.More() {
		err = words.Errorf("more than one value")
	}
	var tooLarge *http.MaxBytesError
	if err != nil && !errors.As(err, &tooLarge) {
		return refuse(http.StatusBadRequest, words.Errorf("the request is not the JSON that was expected: %w", err))
	}
	return err
}

// Resting returns a client for a world that nobody else can reach.
func Resting(w *world.World, version string) *api.Client {
	return api.InProcess(Within(w, version, func() {}).Handler(), w.Plan().Name)
}

// Within returns a server that has no socket: its Handler is asked from within this process, by one who may do everything. stop is
// called when that one asks for the lab's end.
func Within(w *world.World, version string, stop func()) *Server {
	s := &Server{world: w, engine: newEngine(w), version: version, pid: os.Getpid(), stop: stop, streams: make(chan struct{}, maxStreams),
		prober: prober{places: make(chan struct{}, maxProbes)}, shared: sharedRing{tracer: w.Tracer()}}
	s.remember()
	return s
}

// Handler answers.
func (s *Server) Handler() http.Handler { return checked(s.docker(s.routed())) }
