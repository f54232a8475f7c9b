package api_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"uswitch/cmd/internal/control/api"
)

// TestFollowIsCutShort: an answer that does not end in time is broken off, and known to be.
func TestFollowIsCutShort(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Uswitch-Api", strconv.Itoa(api.Version))
		_, err := io.WriteString(w, "begun")
		for err == nil {
			time.Sleep(time.Millisecond)
			_, err = io.WriteString(w, ".")
			_ = http.NewResponseController(w).Flush()
		}
		close(gone)
	})}
	defer server.Close()
	go func() { _ = server.Serve(l) }()
	c := api.NewClient(path, "w")
	c.SetPatience(time.Millisecond)
	ctx, enough := context.WithCancel(context.Background())
	stream, err := c.Follow(ctx, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	enough()
	if text, err := io.ReadAll(stream); !errors.Is(err, api.ErrUnfinished) || !strings.HasPrefix(string(text), "begun") {
		t.Errorf("%v behind %.20q", err, text)
	}
	<-gone
}
