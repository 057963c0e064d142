<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.16-Białowieża" styleCategories="Symbology">
  <pipe-data-defined-properties>
    <Option type="Map">
      <Option type="QString" value="" name="name"/>
      <Option name="properties"/>
      <Option type="QString" value="collection" name="type"/>
    </Option>
  </pipe-data-defined-properties>
  <pipe>
    <provider>
      <resampling maxOversampling="2" enabled="false" zoomedOutResamplingMethod="nearestNeighbour" zoomedInResamplingMethod="nearestNeighbour"/>
    </provider>
    <rasterrenderer nodataColor="" band="1" classificationMax="1" type="singlebandpseudocolor" opacity="1" classificationMin="-1" alphaBand="-1">
      <minMaxOrigin>
        <limits>None</limits>
        <extent>WholeRaster</extent>
        <statAccuracy>Estimated</statAccuracy>
        <cumulativeCutLower>0.02</cumulativeCutLower>
        <cumulativeCutUpper>0.98</cumulativeCutUpper>
        <stdDevFactor>2</stdDevFactor>
      </minMaxOrigin>
      <rastershader>
        <colorrampshader maximumValue="1" clip="0" classificationMode="1" colorRampType="INTERPOLATED" minimumValue="-1" labelPrecision="6">
          <colorramp type="gradient" name="[source]">
            <Option type="Map">
              <Option type="QString" value="63,29,2,255" name="color1"/>
              <Option type="QString" value="0,60,48,255" name="color2"/>
              <Option type="QString" value="0" name="discrete"/>
              <Option type="QString" value="gradient" name="rampType"/>
              <Option type="QString" value="0.375;140,81,10,255:0.45;216,160,74,255:0.55;246,232,195,255:0.635;199,234,229,255:0.72;90,180,172,255:0.83;1,118,110,255" name="stops"/>
            </Option>
            <prop k="color1" v="63,29,2,255"/>
            <prop k="color2" v="0,60,48,255"/>
            <prop k="discrete" v="0"/>
            <prop k="rampType" v="gradient"/>
            <prop k="stops" v="0.375;140,81,10,255:0.45;216,160,74,255:0.55;246,232,195,255:0.635;199,234,229,255:0.72;90,180,172,255:0.83;1,118,110,255"/>
          </colorramp>
          <item color="#3f1d02" label="-1" alpha="255" value="-1"/>
          <item color="#8c510a" label="-0.25" alpha="255" value="-0.25"/>
          <item color="#d8a04a" label="-0.1" alpha="255" value="-0.1"/>
          <item color="#f6e8c3" label="0.1" alpha="255" value="0.1"/>
          <item color="#c7eae5" label="0.27" alpha="255" value="0.27"/>
          <item color="#5ab4ac" label="0.44" alpha="255" value="0.44"/>
          <item color="#01766e" label="0.66" alpha="255" value="0.66"/>
          <item color="#003c30" label="1" alpha="255" value="1"/>
          <rampLegendSettings direction="0" orientation="2" minimumLabel="" prefix="" useContinuousLegend="1" maximumLabel="" suffix="">
            <numericFormat id="basic">
              <Option type="Map">
                <Option type="QChar" value="" name="decimal_separator"/>
                <Option type="int" value="6" name="decimals"/>
                <Option type="int" value="0" name="rounding_type"/>
                <Option type="bool" value="false" name="show_plus"/>
                <Option type="bool" value="true" name="show_thousand_separator"/>
                <Option type="bool" value="false" name="show_trailing_zeros"/>
                <Option type="QChar" value="" name="thousand_separator"/>
              </Option>
            </numericFormat>
          </rampLegendSettings>
        </colorrampshader>
      </rastershader>
    </rasterrenderer>
    <brightnesscontrast brightness="0" contrast="0" gamma="1"/>
    <huesaturation saturation="0" colorizeOn="0" colorizeGreen="128" colorizeStrength="100" invertColors="0" colorizeBlue="128" grayscaleMode="0" colorizeRed="255"/>
    <rasterresampler maxOversampling="2"/>
    <resamplingStage>resamplingFilter</resamplingStage>
  </pipe>
  <blendMode>0</blendMode>
</qgis>
