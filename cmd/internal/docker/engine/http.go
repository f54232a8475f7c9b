package engine

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
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
