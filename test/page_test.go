package test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// The page, in a browser, with labs in memory, as root and as an ordinary user.
//
//	Follow    a ping is followed step by step: what the page says is what the trace says
//	Hold      the world is paused, stepped and let go, by keys
//	Drop      a rule is added, its counter seen, what it dropped opened to it
//	Terminal  what is typed in a host's terminal is answered
//	Past      the tables are those of the packet that is looked at, also when they have been emptied since; the slider goes back
//	Two       two browsers see, and do, at the same time
//	Cut       the connection is cut: nothing is missing behind it, and nothing there twice
//	Capture   a capture is dropped on the page: its packets with the words of the trace, tables that are not kept
//	Markup    names and payloads made of markup are text
//	Real      a lab as root, and one of an ordinary user
func TestPage(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	for name, test := range map[string]func(*testing.T, *browser){"Follow": pageFollow, "Hold": pageHold, "Drop": pageDrop, "Terminal": pageTerminal,
		"Past": pagePast, "Two": pageTwo, "Cut": pageCut, "Capture": pageCapture, "Markup": pageMarkup, "Root": pageRoot, "Ordinary": pageOrdinary, "Views": pageViews} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, b)
		})
	}
}

// seen is a lab in memory, and its page.
func seen(t *testing.T, b *browser, args ...string) (*memory, *tab) {
	t.Helper()
	m := newMemory(t, inMemory)
	m.up(append([]string{"--web", "--trace", "text"}, args...)...)
	return m, b.open(t, pageOf(t, m.process))
}

// pings has RED ping an address, by the page, and waits for what ping says.
func (p *tab) pings(address, says string) {
	p.t.Helper()
	p.view("do")
	p.fill("input[list=asked-do]", address)
	p.button("ping")
	p.wait("what ping says", fmt.Sprintf(`text(".command pre").includes(%q)`, says))
}

// choose chooses the first packet in the list whose line has a text. The list moves as packets pass: who misses presses again.
func (p *tab) choose(line string) {
	p.t.Helper()
	eventually(p.t, line+" is chosen", func() bool {
		p.press(fmt.Sprintf(`$$(".journeys li").find((li) => li.textContent.includes(%q))`, line))
		is, _ := eval[bool](p, fmt.Sprintf(`new Promise((go) => setTimeout(go, 300)).then(() => text(".journeys [aria-selected=true]").includes(%q) && !!$(".trace [aria-current=step]"))`, line))
		return is
	})
}

// oneLine is a text without its line breaks.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// inTrace is what a text trace says of a packet from its first mention on, as words.
func inTrace(trace, head string) string {
	var said []string
	for _, block := range strings.Split(trace, "\n\n") {
		if first, _, _ := strings.Cut(block, "\n"); len(said) == 0 && strings.Contains(first, head) {
			said = append(said, oneLine(block))
		}
	}
	return strings.Join(said, "")
}

func pageFollow(t *testing.T, b *browser) {
	m, p := seen(t, b)
	for _, id := range []string{"host:RED", "host:BLUE", "network:br0", "gateway", "outside"} {
		p.wait("the picture has "+id, fmt.Sprintf(`$('svg [data-node=%q]')`, id))
	}
	p.pings("8.8.8.8", "1 received")
	followed(t, p, m.process, "RED > 8.8.8.8", "MASQUERADE")
	p.button("Its answer")
	p.wait("the answer is chosen", `text("#steps-title").includes("8.8.8.8 > 192.168.104.2")`)
	p.shoot("answer")
}

// followed walks through a packet's steps with the keys, and compares each with the trace.
func followed(t *testing.T, p *tab, trace *process, line, rewritten string) {
	t.Helper()
	p.choose(line)
	steps := get[int](p, `$$(".trace [data-hop]").length`)
	said := ""
	eventually(t, "the trace says "+line, func() bool {
		said = inTrace(trace.stdout.String(), line)
		return said != ""
	})
	marked := map[string]bool{}
	for i := range steps {
		p.wait("the step", fmt.Sprintf(`$$(".trace [data-hop]")[%d].matches("[aria-current=step]")`, i))
		step := oneLine(get[string](p, `["where", "hook", "text"].map((c) => text(".trace [aria-current=step] ." + c)).join(" ")`))
		step = strings.Replace(step, "; by -A", " by -A", 1) // where the trace begins a new line
		before, after, found := strings.Cut(said, step)
		if !found {
			t.Fatalf("the page says %q; in the trace there is still\n%s", step, said)
		}
		if i > 0 && strings.TrimSpace(before) != "" {
			t.Errorf("between two steps of the page the trace says %q", before)
		}
		said = after
		marked[get[string](p, `$("svg .here [data-node]")?.dataset.node ?? ""`)] = true
		if strings.Contains(step, rewritten) {
			p.wait("the rule is beside it", fmt.Sprintf(`text(".look").includes("-j " + %q)`, rewritten))
			p.wait("the bytes that have changed are marked", `$$(".look dl .changed").some((e) => e.textContent.startsWith("source") && e.textContent.includes("was "))`)
		}
		p.keys(kb.ArrowRight)
	}
	if rest := strings.TrimSpace(said); rest != "" {
		t.Errorf("the trace goes on: %s", rest)
	}
	if !marked["host:RED"] || !marked["gateway"] || len(marked) < 4 {
		t.Errorf("the packet was seen at %v", marked)
	}
}

func pageHold(t *testing.T, b *browser) {
	_, p := seen(t, b)
	p.view("do")
	p.fill("input[list=asked-do]", "11.11.11.3")
	p.keys("\t")
	p.press(`$("#picture-title")`)
	p.keys("p")
	p.wait("the world is paused", `text(".held").includes("the next packet is held")`)
	p.button("ping")
	p.wait("the question for BLUE is held", `text(".held").includes("who has 11.11.11.3")`)
	p.press(`$("#picture-title")`)
	for range 2 {
		where := get[string](p, `text(".held .row span")`)
		p.keys("n")
		p.wait("the next step", fmt.Sprintf(`$(".held .row span") && text(".held .row span") !== %q`, where))
	}
	p.shoot("held")
	if get[bool](p, `text(".command pre").includes("1 received")`) {
		t.Error("ping is answered while its packet is held")
	}
	p.keys("p")
	p.wait("all goes on", `!$(".held") && text(".command pre").includes("1 received")`)
}

func pageDrop(t *testing.T, b *browser) {
	m, p := seen(t, b)
	p.view("rules")
	p.fill("input.code", "-I FORWARD -p icmp -d 8.8.8.8 -j DROP")
	p.keys("\r")
	row := `$$(".rules tr").find((r) => r.textContent.includes("-d 8.8.8.8/32 -p icmp -j DROP"))`
	p.wait("the rule, with nothing counted", row+`?.cells[0].textContent === "0"`)
	contains(t, m.do("iptables", "-S", "FORWARD"), "-A FORWARD -d 8.8.8.8/32 -p icmp -j DROP")
	p.pings("8.8.8.8", "100% packet loss")
	p.view("rules")
	p.wait("the rule has counted", row+`?.cells[0].textContent === "1"`)
	p.press(`$("svg .count")`)
	p.wait("why it was dropped", `text(".drop").includes("-d 8.8.8.8/32 -p icmp -j DROP")`)
	p.press(`$$(".drop button").find((b) => b.textContent.startsWith("Show packet"))`)
	p.wait("the packet, at its end", `$(".trace [aria-current=step].drop") && text(".look .rule").includes("-d 8.8.8.8/32 -p icmp -j DROP")`)
	p.wait("and there in the picture", `$("svg .packet.drop") && $("svg .here [data-node=gateway]")`)
	p.shoot("drop")
	p.view("rules")
	p.wait("the rule that decided", row+`?.matches(".decided")`)
	p.press(row + `?.querySelector("button")`)
	p.wait("the rule has gone", "!"+row)
}

func pageTerminal(t *testing.T, b *browser) {
	_, p := seen(t, b)
	p.terminal("RED", "ping -c 1 11.11.11.3\r", "1 received")
	p.shoot("terminal")
}

// terminal types in a terminal of a host, and waits for what is said there.
func (p *tab) terminal(host, typed, says string) {
	p.t.Helper()
	p.press(fmt.Sprintf(`$("svg [data-node='host:%s']")`, host))
	p.view("terminal")
	p.button("Open a terminal")
	p.wait("the terminal has the keyboard", `document.activeElement.matches(".xterm-helper-textarea") && $(".xterm-accessibility-tree, .xterm-rows")`)
	p.wait("the shell's prompt", `/[$#>]/.test(text(".xterm-accessibility-tree"))`)
	p.keys(typed)
	p.wait("the terminal's answer", fmt.Sprintf(`text(".xterm-accessibility-tree").includes(%q)`, says))
}

func pagePast(t *testing.T, b *browser) {
	m, p := seen(t, b)
	p.pings("11.11.11.3", "1 received")
	p.choose("RED > everyone")
	p.keys(kb.ArrowRight)
	learned := `text(".look .decided").includes("RED") && text(".look .decided").includes("as it was")`
	p.wait("where RED was learned, as it was", learned)
	m.do("bridge", "fdb", "flush", "dev", "br0")
	p.pings("11.11.11.1", "1 received")
	p.choose("RED > everyone")
	p.keys(kb.ArrowRight)
	p.wait("the same, after all was forgotten", learned)
	p.view("tables")
	p.wait("the table of now", `$$(".side tbody tr").length > 0`)
	p.press(`$(".side input[type=checkbox]")`)
	p.wait("the table of then", `text(".side [role=status]").includes("as it was") && text(".side tbody").includes("RED")`)
	p.press(`$(".time input")`)
	p.keys(kb.End)
	last := get[string](p, `text("#steps-title")`)
	p.keys(kb.Home)
	p.wait("another packet than the last one", fmt.Sprintf(`text("#steps-title") !== %q && $(".journeys li[aria-selected=true]") === $$(".journeys li[id]")[0]`, last))
	p.shoot("past")
}

func pageTwo(t *testing.T, b *browser) {
	m, one := seen(t, b)
	two := b.open(t, pageOf(t, m.process))
	one.pings("11.11.11.3", "1 received")
	for _, p := range []*tab{one, two} {
		p.choose("RED > BLUE")
	}
	two.view("rules")
	two.fill("input.code", "-A FORWARD -s 11.11.11.2 -j ACCEPT")
	two.keys("\r")
	one.view("rules")
	one.wait("what the other has added", `text(".rules").includes("") && $$(".rules code").some((c) => c.textContent.includes("-s 11.11.11.2/32 -j ACCEPT"))`)
	if a, b := get[string](one, `text(".trace")`), get[string](two, `text(".trace")`); a != b {
		t.Errorf("two pages of one packet:\n%s\n%s", a, b)
	}
}

func pageCut(t *testing.T, b *browser) {
	m := newMemory(t, inMemory)
	m.up()
	socket := filepath.Join(m.runtime, "page")
	page := beginCommand(t, m.command("web", m.name, "--listen", "unix:"+socket))
	t.Cleanup(func() { page.signal(syscall.SIGTERM); page.wait() })
	line := page.stderr.find(t, 0, "the token", func(line string) bool { return strings.Contains(line, "token=") })
	_, token, _ := strings.Cut(line, "token=")
	wire := newWire(t, socket)
	p := b.open(t, "http://"+wire.address()+"/#token="+strings.Fields(token)[0])
	ping := func(n int) {
		contains(t, m.do("exec", "RED", "--", "ping", "-c", fmt.Sprint(n), "-i", "0.2", "11.11.11.3"), fmt.Sprintf("%d received", n))
	}
	ping(2)
	p.wait("what passed before the cut", `$$(".journeys li").filter((l) => l.textContent.includes("echo reply")).length >= 2`)
	wire.cut()
	p.wait("the page knows", `$(".link.cut")`)
	ping(3)
	wire.mend()
	p.wait("the page is back", `$(".link.live")`)
	p.wait("all that passed is there", `$$(".journeys li").filter((l) => l.textContent.includes("echo reply")).length === 5`)
	numbers := get[[]int](p, `$$(".journeys li[id]").map((l) => Number(l.id.slice(1)))`)
	for i, n := range numbers {
		if i > 0 && n != numbers[i-1]+1 {
			t.Errorf("packets %v: %d follows %d", numbers, n, numbers[i-1])
		}
	}
	if gap := get[bool](p, `!!$(".journeys li.gap")`); gap {
		t.Error("a gap is told, though all is there")
	}
}

// wire is a cable between a browser and the socket of a page, which can be cut.
type wire struct {
	l net.Listener

	mu    sync.Mutex
	is    bool                  // cut
	conns map[net.Conn]struct{} // guarded by mu
}

func newWire(t *testing.T, socket string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{l: l, conns: map[net.Conn]struct{}{}}
	t.Cleanup(func() { l.Close(); w.cut() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			other, err := net.Dial("unix", socket)
			w.mu.Lock()
			if err != nil || w.is {
				conn.Close()
				w.mu.Unlock()
				continue
			}
			w.conns[conn], w.conns[other] = struct{}{}, struct{}{}
			w.mu.Unlock()
			go func() { _, _ = io.Copy(conn, other); conn.Close() }()
			go func() { _, _ = io.Copy(other, conn); other.Close() }()
		}
	}()
	return w
}

func (w *wire) address() string { return w.l.Addr().String() }

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.is = true
	for conn := range w.conns {
		conn.Close()
	}
	clear(w.conns)
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.is = false
}

func pageCapture(t *testing.T, b *browser) {
	m, p := seen(t, b)
	path := filepath.Join(m.runtime, "all.pcapng")
	capture := beginCommand(t, m.command("capture", "-w", path, "--snap", "0"))
	captured := func() string { raw, _ := os.ReadFile(path); return string(raw) }
	eventually(t, "the capture has begun", func() bool { return captured() != "" })
	m.do("exec", "RED", "--", "ping", "-c", "1", "8.8.8.8")
	eventually(t, "the answer is in the capture", func() bool { return strings.Contains(captured(), "11.11.11.2 is at") })
	capture.signal(syscall.SIGINT)
	if status := capture.wait(); status != 0 {
		t.Fatalf("capture: status %d:\n%s", status, capture.stderr)
	}
	drop := func(name string, content string) {
		get[any](p, fmt.Sprintf(`((files) => (files.items.add(new File([Uint8Array.from(atob(%q), (c) => c.charCodeAt(0))], %q)),
			document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}))))(new DataTransfer())`,
			base64.StdEncoding.EncodeToString([]byte(content)), name))
	}
	drop("other.pcapng", "no capture")
	p.wait("why it is none", `text(".problem").includes("other.pcapng: the capture: not a pcapng capture")`)
	drop("all.pcapng", captured())
	p.wait("whose packets those are", `text(".journeys header").includes("all.pcapng: ")`)
	followed(t, p, m.process, "ICMP", "MASQUERADE")
	p.wait("the tables are not known", `text(".look").includes("not kept")`)
	p.shoot("capture")
	m.do("exec", "RED", "--", "ping", "-c", "1", "11.11.11.3")
	p.button("Back to the lab")
	p.wait("what has passed in the lab", `$$(".journeys li").some((li) => li.textContent.includes("RED > BLUE ICMP"))`)
}

func pageMarkup(t *testing.T, b *browser) {
	m := newMemory(t, inMemory)
	m.up("--web")
	p := b.open(t, pageOf(t, m.process))
	evil := `<img src=x onerror=document.title=1><script>document.title=2</script>`
	m.do("exec", "RED", "--", "curl", "-s", "http://11.11.11.3/"+strings.ReplaceAll(evil, " ", "/"))
	m.do("iptables", "-A", "FORWARD", "-m", "comment", "--comment", evil, "-j", "ACCEPT")
	p.view("rules")
	p.wait("the comment, as text", fmt.Sprintf(`text(".side").includes(%q)`, "<img src=x"))
	p.choose("RED > BLUE TCP")
	p.terminal("RED", "echo '"+evil+"'\r", "<script>document.title=2</script>")
	if n := get[int](p, `$$("img, script:not([src='app.js'])").length`); n != 0 {
		t.Errorf("%d elements were made of text", n)
	}
	if title := get[string](p, `document.title`); title == "1" || title == "2" {
		t.Error("a script ran that was text")
	}
}

func pageRoot(t *testing.T, b *browser) {
	needs(t)
	l := newLab(t, threeHosts)
	l.process = begin(t, uswitch, "run", l.file, "--trace", "text", "--web")
	t.Cleanup(l.stop)
	l.waitUp()
	p := b.open(t, pageOf(t, l.process))
	p.press(fmt.Sprintf(`$("svg [data-node='host:%s']")`, l.ns("RED")))
	p.pings(blueIP, "1 received")
	p.choose(l.ns("RED") + " > " + l.ns("BLUE") + " ICMP")
	p.terminal(l.ns("RED"), "echo $((6*7))\r", "42")
}

func pageOrdinary(t *testing.T, b *browser) {
	o := newOrdinary(t)
	lab := o.write("lab.yaml", strings.ReplaceAll(threeHosts, "@", ""))
	up := begin(t, o.argv(o.program, "run", lab, "--trace", "off", "--web")...)
	t.Cleanup(func() { up.signal(syscall.SIGTERM); up.wait() })
	p := b.open(t, pageOf(t, up))
	p.press(`$("svg [data-node='host:RED']")`)
	p.pings(blueIP, "1 received")
	p.choose("RED > BLUE ICMP")
	p.terminal("RED", "echo $((6*7))\r", "42")
}
