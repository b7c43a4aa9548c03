/** Keeps a picture of what stands still: others may be drawn over it again and again, and it is not. */
import { program, texture } from './gl.ts';

const VERTEX = `#version 300 es
void main() {
  gl_Position = vec4(float(gl_VertexID & 1) * 4.0 - 1.0, float(gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
uniform sampler2D u_picture;
out vec4 colour;
void main() { colour = texelFetch(u_picture, ivec2(gl_FragCoord.xy), 0); }`;

export class Still {
  private readonly copy: WebGLProgram;
  private readonly shape: WebGLVertexArrayObject;
  private readonly picture: WebGLTexture;
  private readonly frame: WebGLFramebuffer;
  private size = '';
  private key = '';
  private kept = false;

  constructor(private readonly gl: WebGL2RenderingContext) {
    this.copy = program(gl, VERTEX, FRAGMENT);
    this.shape = gl.createVertexArray();
    this.picture = texture(gl);
    this.frame = gl.createFramebuffer();
  }

  /**
   * Draw what looks the same as long as `key` is the same. While it changes from frame to frame, as when the map
   * is pulled, no picture is taken, which would be thrown away at once.
   */
  render(key: string, draw: () => void): void {
    const same = key === this.key;
    this.key = key;
    if (!same) {
      this.kept = false;
      draw();
      return;
    }
    if (!this.kept) this.keep(draw);
    this.kept = true;
    this.show();
  }

  free(): void {
    const { gl } = this;
    gl.deleteFramebuffer(this.frame);
    gl.deleteTexture(this.picture);
    gl.deleteVertexArray(this.shape);
    gl.deleteProgram(this.copy);
  }

  private keep(draw: () => void): void {
    const { gl } = this;
    const before = gl.getParameter(gl.FRAMEBUFFER_BINDING) as WebGLFramebuffer | null;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.frame);
    this.fit();
    gl.disable(gl.SCISSOR_TEST);
    gl.colorMask(true, true, true, true);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    draw();
    gl.bindFramebuffer(gl.FRAMEBUFFER, before);
  }

  /** Give the picture the size of the canvas. */
  private fit(): void {
    const { gl } = this;
    const { drawingBufferWidth: width, drawingBufferHeight: height } = gl;
    const size = `${width} ${height}`;
    if (size === this.size) return;
    this.size = size;
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.picture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.picture, 0);
  }

  private show(): void {
    const { gl } = this;
    gl.useProgram(this.copy);
    gl.bindVertexArray(this.shape);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.picture);
    gl.uniform1i(gl.getUniformLocation(this.copy, 'u_picture'), 0);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.bindVertexArray(null);
  }
}
