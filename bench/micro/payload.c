/* SPDX-License-Identifier: MIT */
/* The smallest program of a C library: what it costs to start is the library's and the linker's. */
int main(void)
{
	return 0;
}
