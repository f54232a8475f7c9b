package engine

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"uswitch/cmd/internal/docker/types"
)

// apiVersion is that of Docker's Engine API whose bodies package api has.
const apiVersion = "1.50"

// Handler answers requests of Docker's Engine API, without a version before their path, as far as this engine goes.
func (e *Engine) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, answer := range map[string]func(*http.Request) (any, error){
		"GET /version":                   e.getVersion,
		"GET /info":                      e.getInfo,
		"GET /containers/json":           e.getContainers,
		"POST /containers/create":        e.postCreate,
		"GET /containers/{id}/json":      e.getContainer,
		"GET /containers/{id}/top":       e.getTop,
		"GET /containers/{id}/stats":     e.getStats,
		"POST /containers/{id}/start":    e.postStart,
		"POST /containers/{id}/kill":     e.postKill,
		"POST /containers/{id}/resize":   e.postResize,
		"DELETE /containers/{id}":        e.deleteContainer,
		"POST /containers/{id}/exec":     e.postExec,
		"GET /exec/{id}/json":            e.getExec,
		"POST /exec/{id}/resize":         e.postExecResize,
		"GET /networks":                  e.getNetworks,
		"POST /networks/create":          e.postNetwork,
		"POST /networks/prune":           e.postPrune,
		"GET /networks/{id}":             e.getNetwork,
		"DELETE /networks/{id}":          e.deleteNetwork,
		"POST /networks/{id}/connect":    e.postConnect,
		"POST /networks/{id}/disconnect": e.postDisconnect,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			result, err := answer(r)
			respond(w, result, err)
		})
	}
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Api-Version", apiVersion)
		w.Header().Set("Ostype", "linux")
		_, _ = io.WriteString(w, "OK")
	})
	mux.HandleFunc("POST /containers/{id}/stop", e.postStop)
	mux.HandleFunc("POST /containers/{id}/wait", e.postWait)
	mux.HandleFunc("POST /containers/{id}/attach", e.postAttach)
	mux.HandleFunc("POST /exec/{id}/start", e.postExecStart)
	mux.HandleFunc("GET /containers/{id}/logs", e.getLogs)
	mux.HandleFunc("GET /events", e.getEvents)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		respond(w, nil, notFound("%s %s: the engine of a lab does not do that", r.Method, r.URL.Path))
	})
	return mux
}

// respond sends a result as JSON, nothing for nil, or an error. A container that is to be started and runs already is none.
func respond(w http.ResponseWriter, result any, err error) {
	switch {
	case err != nil && !errors.Is(err, ErrStarted):
		refuse(w, err)
	case result == nil:
		w.WriteHeader(http.StatusOK)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(result)
	}
}

// refuse sends an error both as Docker's API has it and as the lab's control socket does.
func refuse(w http.ResponseWriter, err error) {
	code := http.StatusInternalServerError
	var own *Error
	if errors.As(err, &own) {
		code = own.Code
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": err.Error(), "error": err.Error()})
}

// body reads a request's JSON.
func body(r *http.Request, into any) error {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return invalid("the request is not the JSON that was expected: %v", err)
	}
	return nil
}

func flag(r *http.Request, name string) bool {
	value, _ := strconv.ParseBool(r.URL.Query().Get(name))
	return value
}

func (e *Engine) getVersion(*http.Request) (any, error) {
	return map[string]any{"Version": "uswitch", "ApiVersion": apiVersion, "MinAPIVersion": "1.24", "Os": "linux"}, nil
}

func (e *Engine) getTop(r *http.Request) (any, error) {
	return e.Top(r.PathValue("id"), r.URL.Query().Get("ps_args"))
}

func (e *Engine) getStats(r *http.Request) (any, error) { return e.Stats(r.PathValue("id")) }

func (e *Engine) getContainers(r *http.Request) (any, error) { return e.List(flag(r, "all")), nil }

func (e *Engine) postCreate(r *http.Request) (any, error) {
	var raw json.RawMessage
	var request types.CreateRequest
	if err := body(r, &raw); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &request); err != nil {
		return nil, invalid("the request is not the JSON that was expected: %v", err)
	}
	made, err := e.Create(r.URL.Query().Get("name"), request)
	if err == nil {
		made.Warnings = append(made.Warnings, idleKeys(raw)...)
	}
	return made, err
}

func (e *Engine) getContainer(r *http.Request) (any, error) { return e.Inspect(r.PathValue("id")) }

func (e *Engine) postStart(r *http.Request) (any, error) { return nil, e.Start(r.PathValue("id")) }

func (e *Engine) postKill(r *http.Request) (any, error) {
	return nil, e.Kill(r.PathValue("id"), r.URL.Query().Get("signal"))
}

func (e *Engine) postResize(r *http.Request) (any, error) {
	rows, columns, err := size(r)
	if err != nil {
		return nil, err
	}
	return nil, e.Resize(r.PathValue("id"), rows, columns)
}

// size reads a terminal's.
func size(r *http.Request) (rows, columns uint16, err error) {
	h, err := strconv.ParseUint(r.URL.Query().Get("h"), 10, 16)
	w, err2 := strconv.ParseUint(r.URL.Query().Get("w"), 10, 16)
	if err != nil || err2 != nil {
		return 0, 0, invalid("want the terminal's size, as in h=25&w=80")
	}
	return uint16(h), uint16(w), nil
}

func (e *Engine) postExec(r *http.Request) (any, error) {
	var request types.ExecConfig
	if err := body(r, &request); err != nil {
		return nil, err
	}
	return e.Exec(r.PathValue("id"), request)
}

func (e *Engine) getExec(r *http.Request) (any, error) { return e.InspectExec(r.PathValue("id")) }

func (e *Engine) postExecResize(r *http.Request) (any, error) {
	rows, columns, err := size(r)
	if err != nil {
		return nil, err
	}
	return nil, e.ResizeExec(r.PathValue("id"), rows, columns)
}

func (e *Engine) deleteContainer(r *http.Request) (any, error) {
	return nil, e.Remove(r.PathValue("id"), flag(r, "force"))
}

func (e *Engine) getNetworks(*http.Request) (any, error) { return e.Networks(), nil }

func (e *Engine) getNetwork(r *http.Request) (any, error) { return e.Network(r.PathValue("id")) }

func (e *Engine) postNetwork(r *http.Request) (any, error) {
	var request types.NetworkCreateRequest
	if err := body(r, &request); err != nil {
		return nil, err
	}
	return e.CreateNetwork(request)
}

func (e *Engine) deleteNetwork(r *http.Request) (any, error) {
	return nil, e.RemoveNetwork(r.PathValue("id"))
}

func (e *Engine) postPrune(*http.Request) (any, error) { return e.PruneNetworks() }

func (e *Engine) postConnect(r *http.Request) (any, error) {
	var raw json.RawMessage
	var request types.NetworkConnectRequest
	var said struct{ EndpointConfig json.RawMessage }
	if err := body(r, &raw); err != nil {
		return nil, err
	}
	if err := errors.Join(json.Unmarshal(raw, &request), json.Unmarshal(raw, &said)); err != nil {
		return nil, invalid("the request is not the JSON that was expected: %v", err)
	}
	if idle := idleEndpointKeys(said.EndpointConfig); len(idle) > 0 { // an answer without room for warnings
		return nil, invalid("network %s: %s", r.PathValue("id"), strings.Join(idle, "; "))
	}
	return nil, e.Connect(r.PathValue("id"), request)
}

func (e *Engine) postDisconnect(r *http.Request) (any, error) {
	var request types.NetworkDisconnectRequest
	if err := body(r, &request); err != nil {
		return nil, err
	}
	return nil, e.Disconnect(r.PathValue("id"), request)
}
