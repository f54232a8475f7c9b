package serve_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"uswitch/cmd/internal/tools/serve"
)

func TestPage(t *testing.T) {
	var log bytes.Buffer
	page := serve.Page("WEB", &log)
	get := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "11.11.11.2:1234"
	page.ServeHTTP(get, r)
	if text := get.Body.String(); get.Code != 200 || !strings.Contains(text, "Hello from WEB") || !strings.Contains(text, "You are 11.11.11.2:1234") {
		t.Errorf("%d %q", get.Code, text)
	}
	if want := "GET \"/\" from 11.11.11.2:1234\n"; log.String() != want {
		t.Errorf("log %q, want %q", log.String(), want)
	}
	post := httptest.NewRecorder()
	page.ServeHTTP(post, httptest.NewRequest(http.MethodPost, "/", nil))
	if post.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", post.Code)
	}
}

func TestName(t *testing.T) {
	t.Setenv("USWITCH_HOST", "WEB")
	if got := serve.Name(); got != "WEB" {
		t.Errorf("%q", got)
	}
}
