// Package test holds what can only be tested from outside: whole labs in real namespaces with programs that we did not
// write, benchmarks beside other switches, and the rules of the repository itself.
package test
