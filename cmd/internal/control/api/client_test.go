package api_test

import (
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"uswitch/cmd/internal/control/api"
)

// TestDoWaitsForTheEnd: a request whose answer begins at once, as docker stop's does, is done when the answer ends.
func TestDoWaitsForTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var done atomic.Bool
	server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(api.VersionHeader, strconv.Itoa(api.Version))
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		time.Sleep(50 * time.Millisecond)
		done.Store(true)
	})}
	defer server.Close()
	go func() { _ = server.Serve(l) }()
	if err := api.NewClient(path, "w").Do(t.Context(), http.MethodPost, "/stop", nil, nil, nil); err != nil || !done.Load() {
		t.Errorf("it returned before the end: %v", err)
	}
}
