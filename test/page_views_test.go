package test

import (
	"fmt"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

// axe judges whether everybody can use a page: https://github.com/dequelabs/axe-core. make test, or make test-web, puts it there.
const axe = "../out/web/node_modules/axe-core/axe.min.js"

// pageViews has axe look at every view, light and dark.
func pageViews(t *testing.T, b *browser) {
	judge, err := os.ReadFile(axe)
	if err != nil {
		skip(t, "axe-core (make test-web): "+err.Error())
	}
	m, p := seen(t, b)
	m.do("iptables", "-I", "FORWARD", "-d", "9.9.9.9", "-j", "DROP")
	p.pings("9.9.9.9", "100% packet loss")
	p.pings("8.8.8.8", "1 received")
	p.choose("RED > 8.8.8.8")
	p.wait("what was dropped is drawn", `$("svg .count")`)
	p.run(chromedp.Evaluate[chromedp.Void](string(judge)))
	views := []struct{ name, script string }{
		{"rules", `$("#tab-rules").click()`}, {"tables", `$("#tab-tables").click()`}, {"drops", `$("#tab-drops").click()`}, {"do", `$("#tab-do").click()`},
		{"reach", `$("#tab-ask").click() ?? new Promise((go) => setTimeout(go, 200)).then(() => named("button", "Who reaches whom").click())`},
		{"terminal", `$("#tab-terminal").click() ?? new Promise((go) => setTimeout(go, 200)).then(() => named("button", "Open a terminal").click())`},
		{"list", `named("button", "As a list").click()`}, {"paused", `named("button", "Pause the world").click()`}, {"keys", `named("button", "Keys").click()`},
	}
	for _, v := range views {
		get[any](p, v.script)
		if v.name == "reach" {
			p.wait("the matrix", `$(".matrix button")`)
		}
		for _, scheme := range []string{"light", "dark"} {
			get[any](p, fmt.Sprintf(`document.documentElement.dataset.scheme = %q`, scheme))
			found := get[[]string](p, `axe.run({resultTypes: ["violations"]}).then((r) => r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.html.slice(0, 200) + " " + n.any.concat(n.all, n.none).map((c) => c.message).join("; "))))`)
			for _, violation := range found {
				t.Errorf("%s, %s: %s", v.name, scheme, violation)
			}
			p.shoot(v.name + "-" + scheme)
		}
	}
}
