package test

import (
	"fmt"
	"os/exec"
	"regexp"
	"testing"
)

// TestPlayground: uswitch in a page, out of static files that python serves. A ping is followed, a terminal typed in, a file of one's own
// opened, and with the web server gone the page loads again and works. The trace of a lab that ends is that of uswitch run --sim, to the
// byte.
func TestPlayground(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	dir := t.TempDir()
	build := exec.Command("go", "run", "./cmd/playground", dir)
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	server := begin(t, "python3", "-u", "-m", "http.server", "-b", "127.0.0.1", "-d", dir, "0")
	serving := regexp.MustCompile(`port (\d+)`)
	url := fmt.Sprintf("http://127.0.0.1:%s/", serving.FindStringSubmatch(server.stdout.find(t, 0, "the web server's port", serving.MatchString))[1])

	p := b.open(t, url)
	p.pings("8.8.8.8", "1 received")
	p.choose("RED > 8.8.8.8")
	p.wait("the rule that translates is named", `$$(".trace [data-hop]").some((e) => e.textContent.includes("MASQUERADE"))`)
	p.terminal("RED", "ping -c 1 11.11.11.3\r", "1 received")
	want := newMemory(t, inMemory).do("run", "--sim", "red-blue")
	if got := get[string](p, `uswitchPlayground.run("red-blue")`); got != want {
		t.Errorf("the playground prints\n%s\nand the terminal\n%s", got, want)
	}
	p.shoot("playground")

	own := `{"services": {"left": {"image": "alpine", "command": "ping -c 1 right"}, "right": {"image": "alpine"}}}`
	_, _ = eval[bool](p, fmt.Sprintf(`uswitchPlayground.openFile(new File([%q], "mine.yaml"))`, own)) // which loads the page anew
	p.wait("the file's lab is drawn", `$("svg [data-node='host:left']") && $(".link.live")`)
	p.wait("the page's files are kept", `navigator.serviceWorker.ready.then((r) => r.active?.state === "activated" && !!navigator.serviceWorker.controller)`)
	server.kill()
	_, _ = eval[bool](p, `(window.before = true, location.reload())`)
	p.wait("the lab is drawn without a web server, anew", `!window.before && $("svg [data-node='host:left']") && $(".link.live")`)
	p.pings("right", "1 received")
	_, _ = eval[bool](p, `(location.hash = "lab=none", location.reload())`)
	p.wait("a lab that there is not is refused in words", `text(".problem").includes("none")`)
}
