package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"text/template"
)

// dockerFunctions are those that Docker's --format knows besides Go's own.
var dockerFunctions = template.FuncMap{
	"json": func(v any) (string, error) {
		text, err := json.Marshal(v)
		return string(text), err
	},
	"split": strings.Split,
	"join":  strings.Join,
	"lower": strings.ToLower,
	"upper": strings.ToUpper,
	"title": func(s string) string {
		if s == "" {
			return s
		}
		return strings.ToUpper(s[:1]) + s[1:]
	},
	"pad": func(s string, before, after int) string {
		return strings.Repeat(" ", before) + s + strings.Repeat(" ", after)
	},
	"truncate": func(s string, length int) string { return string([]rune(s)[:min(length, len([]rune(s)))]) },
}

// dockerTemplate reads a template as Docker does, with its words for one that cannot be read.
func dockerTemplate(text string) (*template.Template, error) {
	t, err := template.New("").Funcs(dockerFunctions).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("template parsing error: %w", err)
	}
	return t, nil
}

// DockerInspect writes objects as docker inspect does: a list in JSON, or each by a template on a line of its own. What a
// template does not find among an object's fields it looks for among the keys of its JSON.
func DockerInspect(w io.Writer, objects []any, format string) error {
	switch format {
	case "":
		if len(objects) == 0 {
			_, err := io.WriteString(w, "[]\n")
			return err
		}
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "    ")
		return e.Encode(objects)
	case "json":
		format = "{{json .}}"
		if len(objects) != 1 {
			return json.NewEncoder(w).Encode(objects)
		}
	}
	t, err := dockerTemplate(format)
	if err != nil {
		return err
	}
	for _, object := range objects {
		text, err := inspected(t, object)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	return nil
}

func inspected(t *template.Template, object any) (string, error) {
	var b bytes.Buffer
	err := t.Execute(&b, object)
	if err == nil {
		return b.String(), nil
	}
	text, jsonErr := json.Marshal(object)
	var raw any
	if jsonErr == nil {
		jsonErr = json.Unmarshal(text, &raw)
	}
	b.Reset()
	if jsonErr != nil || t.Option("missingkey=error").Execute(&b, raw) != nil {
		return "", fmt.Errorf("template parsing error: %w", err)
	}
	return b.String(), nil
}

// dockerTable writes rows as Docker's lists do, by a template: with a heading if the format is empty or begins with table.
// Each row has its columns by the names that templates use; heading has what stands above them.
func dockerTable(w io.Writer, format, usual string, heading map[string]string, rows []map[string]string) error {
	titled := false
	switch rest, isTable := strings.CutPrefix(format, "table"); {
	case format == "" || format == "table":
		format, titled = usual, true
	case isTable && strings.TrimSpace(rest) != "":
		format, titled = strings.TrimSpace(rest), true
	case format == "json":
		format = "{{json .}}"
	}
	format = strings.NewReplacer(`\t`, "\t", `\n`, "\n").Replace(format)
	t, err := dockerTemplate(format)
	if err != nil {
		return err
	}
	t.Option("missingkey=error")
	var b bytes.Buffer
	if titled {
		rows = append([]map[string]string{heading}, rows...)
	}
	for _, row := range rows {
		if err := t.Execute(&b, row); err != nil {
			return fmt.Errorf("template parsing error: %w; the columns are %s", err, strings.Join(slices.Sorted(maps.Keys(heading)), ", "))
		}
		b.WriteByte('\n')
	}
	if !titled {
		_, err := w.Write(b.Bytes())
		return err
	}
	columns := tabwriter.NewWriter(w, 10, 1, 3, ' ', 0) // as docker's own
	if _, err := columns.Write(b.Bytes()); err != nil {
		return err
	}
	return columns.Flush()
}
