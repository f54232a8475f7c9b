package main

import (
	"github.com/spf13/pflag"

	"uswitch/cmd/internal/plan"
)

// fileFlags are those of commands that read a lab file: what docker compose says of its files too.
func fileFlags(f *pflag.FlagSet, load *plan.LoadOptions) {
	f.StringArrayVarP(&load.Files, "file", "f", nil, "put `FILE` on top of the lab's, as docker compose does; - is standard input")
	f.StringArrayVar(&load.EnvFiles, "env-file", nil, "read variables from `FILE`, not from the .env beside the lab's file")
	f.StringArrayVar(&load.Profiles, "profile", nil, "with the services of profile `NAME` (else: those of COMPOSE_PROFILES)")
	f.StringToIntVar(&load.Scale, "scale", nil, "have n hosts of a service, as in `SERVICE=n`")
}

// again is how a flag was given, for a second command line.
func again(f *pflag.Flag) (words []string) {
	slice, ok := f.Value.(pflag.SliceValue)
	switch {
	case ok:
		for _, value := range slice.GetSlice() {
			words = append(words, "--"+f.Name+"="+value)
		}
	case f.Value.Type() == "stringToInt": // whose text is in brackets
		text := f.Value.String()
		words = append(words, "--"+f.Name+"="+text[1:len(text)-1])
	default:
		words = append(words, "--"+f.Name+"="+f.Value.String())
	}
	return words
}
