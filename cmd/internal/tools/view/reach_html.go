package view

import (
	"html/template"
	"io"
	"uswitch/cmd/internal/control/api"
)

// page is the matrix as a page of its own.
var page = template.Must(template.New("reach").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Who reaches whom</title>
<style>
body { font-family: sans-serif; margin: 2em; }
table { border-collapse: collapse; }
th, td { padding: .3em .6em; text-align: left; border: 1px solid white; }
td.yes { background: ` + fillYes + `; }
td.no { background: ` + fillNo + `; }
td.unknown { background: ` + fillUnknown + `; }
td.self { background: ` + fillSelf + `; }
</style>
<h1>Who reaches whom</h1>
<table>
<tr><th>from \ to</th>{{range .Matrix.To}}<th>{{.}}</th>{{end}}</tr>
{{range $row, $from := .Matrix.From}}<tr><th>{{$from}}</th>
{{- range index $.Matrix.Cells $row}}<td class="{{if .Self}}self{{else if .Works}}yes{{else if eq .Verdict "unknown"}}unknown{{else}}no{{end}}"
{{- with .Sentence}} title="{{.}}"{{end}}>{{.Text}}</td>{{end}}</tr>
{{end}}</table>
{{with .Names}}<dl>
{{range .}}<dt><b>{{.}}</b></dt><dd>{{index $.Sentences .}}</dd>
{{end}}</dl>
{{end}}</html>
`))

// WriteMatrixHTML writes a matrix as a page that needs no other file.
func MatrixHTML(out io.Writer, m *api.Matrix) error {
	names, sentences := matrixReasons(m)
	return page.Execute(out, map[string]any{"Matrix": m, "Names": names, "Sentences": sentences})
}
