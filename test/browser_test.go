package test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	logged "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is one Chromium for several pages, each of which knows nothing of the others.
type browser struct{ ctx context.Context }

func startBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		skip(t, "the program chromium")
	}
	dir, err := os.MkdirTemp("", "uswitch-browser-")
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.NoSandbox,
		chromedp.Flag("disable-gpu", true), chromedp.Flag("lang", "en"), chromedp.WindowSize(1400, 950), chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("disable-component-update", true), chromedp.Env("TMPDIR="+dir)) // where it would leave directories of its own
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		cancel()
		end()
		os.RemoveAll(dir)
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return &browser{ctx}
}

// tab is a page in the browser, with a store of its own. What goes wrong in it (an exception, a report of the policy) fails the test.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu  sync.Mutex
	bad []string // guarded by mu
}

// open opens the address in a new tab, and waits until the lab is drawn there.
func (b *browser) open(t *testing.T, url string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	p := &tab{t: t, ctx: ctx}
	t.Cleanup(func() {
		cancel()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, what := range p.bad {
			t.Errorf("in the browser: %s", what)
		}
	})
	if err := chromedp.Listen(ctx, p.watch); err != nil {
		t.Fatal(err)
	}
	p.run(chromedp.Navigate(url))
	p.wait("the lab is drawn", `$("svg.lab [data-node='gateway']") && $(".link.live")`)
	return p
}

func (p *tab) watch(event any) {
	what := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		what = fmt.Sprintf("exception %+v", e.ExceptionDetails)
		if e.ExceptionDetails.Exception != nil {
			what = "exception " + e.ExceptionDetails.Exception.Description
		}
	case *logged.EventEntryAdded:
		if e.Entry.Source != "network" { // those the page sees to itself
			what = fmt.Sprintf("%s %s: %s", e.Entry.Source, e.Entry.Level, e.Entry.Text)
		}
	}
	if what != "" {
		p.mu.Lock()
		p.bad = append(p.bad, what)
		p.mu.Unlock()
	}
}

func (p *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// helpers are what the tests' scripts may call: $ and $$ find elements by selector, named finds the visible button, tab or field of a name.
const helpers = `const $ = (s) => document.querySelector(s), $$ = (s) => [...document.querySelectorAll(s)],
	text = (s) => $(s)?.textContent ?? "",
	named = (s, name) => $$(s).find((e) => e.getClientRects().length && ((e.getAttribute("aria-label") ?? e.textContent).trim() === name)); `

// eval evaluates a script's expression.
func eval[T any](p *tab, script string) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T]("(async () => { "+helpers+"return ("+script+"); })()", chromedp.EvalAwaitPromise))
}

// get is what a script says, which must not fail.
func get[T any](p *tab, script string) T {
	p.t.Helper()
	v, err := eval[T](p, script)
	if err != nil {
		p.t.Fatalf("%s: %v", script, err)
	}
	return v
}

// wait waits until a script says something that is true.
func (p *tab) wait(what, script string) {
	p.t.Helper()
	for late := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		is, err := eval[bool](p, "!!("+script+")")
		if is {
			return
		}
		if time.Now().After(late) {
			p.shoot("failed")
			p.t.Fatalf("never came true in the browser: %s (%v); the page says:\n%s", what, err, get[string](p, "document.body.innerText"))
		}
	}
}

// shoot writes a picture of the page, if somebody wants to look.
func (p *tab) shoot(name string) {
	dir := os.Getenv("USWITCH_SHOTS")
	if dir == "" {
		return
	}
	if picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot()); err == nil {
		_ = os.WriteFile(dir+"/"+strings.ReplaceAll(p.t.Name(), "/", "-")+"-"+name+".png", picture, 0o644)
	}
}

// press clicks with the mouse in the middle of what a script finds, once that can be seen, rests, and is what lies there.
func (p *tab) press(script string) {
	p.t.Helper()
	var at []float64
	p.wait("to be pressed: "+script, script)
	eventually(p.t, script+" can be pressed", func() bool {
		var err error
		at, err = eval[[]float64](p, `(async (e) => { e.scrollIntoView({block: "nearest"});
			const middle = () => { const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] }, was = middle();
			await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
			const [x, y] = middle(), there = document.elementFromPoint(x, y);
			return x === was[0] && y === was[1] && !e.disabled && there && (e.contains(there) || there.contains(e)) ? [x, y] : [] })(`+script+`)`)
		return err == nil && len(at) == 2
	})
	p.run(chromedp.MouseClickXY(at[0], at[1]))
}

// button presses the button of a name.
func (p *tab) button(name string) {
	p.t.Helper()
	p.press(fmt.Sprintf(`named("button, [role=button]", %q)`, name))
}

// view shows one of the views beside the picture.
func (p *tab) view(name string) {
	p.t.Helper()
	p.press(`$("#tab-` + name + `")`)
	p.wait("the view "+name, `$("#tab-`+name+`[aria-selected=true]")`)
}

// fill types a text into a field, in the place of what is there.
func (p *tab) fill(selector, value string) {
	p.t.Helper()
	p.wait(selector, fmt.Sprintf("(%q, $(%q)?.focus(), $(%q)?.select?.(), document.activeElement === $(%q))", "focus", selector, selector, selector))
	p.keys(value)
	p.wait(selector+" has what was typed", fmt.Sprintf("$(%q).value === %q", selector, value))
}

// keys types on the keyboard.
func (p *tab) keys(keys string) {
	p.t.Helper()
	p.run(chromedp.KeyEvent(keys))
}

var invitation = regexp.MustCompile(`the page is at (http://\S+)`)

// pageOf is the address of the page that a process has invited to.
func pageOf(t *testing.T, p *process) string {
	t.Helper()
	line := p.stderr.find(t, 0, "the address of the page", invitation.MatchString)
	return invitation.FindStringSubmatch(line)[1]
}
